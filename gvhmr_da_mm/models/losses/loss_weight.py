"""Check of the weight of a loss."""

import math

from ...core.errors import ConfigError


def check_loss_weight(owner: object, weight: float, name: str = 'loss_weight') -> float:
    """Return a valid weight.

    Raises:
        ConfigError: If it is negative or not finite.
    """
    if not 0 <= weight < math.inf:
        raise ConfigError(
            f'`{name}` of {type(owner).__name__} should be a number of at least 0, got {weight}'
        )
    return weight
