"""Which values the options of :class:`DomainAdaptiveGVHMR` may have."""

import math

from ...core.errors import ConfigError

CHOICES = dict(teacher=('ema', 'student'), predict_on=('student', 'teacher'))


def check_choices(**chosen: str) -> None:
    """Check options that have a few values.

    Raises:
        ConfigError: If a value is none of them.
    """
    for name, value in chosen.items():
        if value not in CHOICES[name]:
            raise ConfigError(f'`{name}` should be one of {CHOICES[name]}, got {value!r}')


def check_num_augmentations(count: int, num_views: int) -> None:
    """Check that there are views enough beside the plain input.

    Raises:
        ConfigError: If there are not.
    """
    if not 1 <= count <= num_views + 1:
        raise ConfigError(
            '`num_augmentations` counts the plain input and the first of `views`, so it should be '
            f'between 1 and {num_views + 1} with {num_views} view(s) configured, got {count}; add '
            'entries to `model.views`'
        )


def check_weights(**weights: float) -> None:
    """Check weights of losses.

    Raises:
        ConfigError: If one is negative or not finite.
    """
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise ConfigError(f'`{name}` should be a number of at least 0, got {weight}')
