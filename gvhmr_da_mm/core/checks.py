"""Checks of arguments at public boundaries."""

import math
import numbers
from collections.abc import Collection, Sequence
from typing import Any, Optional

from torch import Tensor

from .errors import ConfigError, ShapeError


def check_shape(tensor: Tensor, pattern: str, name: str, **sizes: int) -> dict[str, int]:
    """Check a tensor against a pattern such as ``'B L 17 3'``.

    Args:
        tensor (Tensor): The tensor to check.
        pattern (str): Dimensions separated by spaces: a number must match exactly, a letter binds a
            size (the same letter twice must agree), and a leading ``*`` stands for any dimensions.
        name (str): Name of the tensor in the error.
        sizes (int): Letters whose sizes are already known.

    Returns:
        dict[str, int]: The size bound to each letter.

    Raises:
        ShapeError: If the shape does not match.
    """
    wanted = pattern.split()
    if not isinstance(tensor, Tensor):
        raise ShapeError(
            f'`{name}` should be a tensor of shape ({pattern}), got {type(tensor).__name__}'
        )
    shape = list(tensor.shape)
    bound = dict(sizes)
    any_leading = bool(wanted) and wanted[0] == '*'
    if any_leading:
        wanted = wanted[1:]
        shape = shape[max(len(shape) - len(wanted), 0) :]
    matches = len(shape) == len(wanted)
    for dim, size in zip(wanted, shape):
        expected = int(dim) if dim.isdigit() else bound.setdefault(dim, size)
        matches = matches and expected == size
    if not matches:
        known = f' with {sizes}' if sizes else ''
        raise ShapeError(
            f'`{name}` should have shape ({", ".join(pattern.split())}){known}, '
            f'got {tuple(tensor.shape)}'
        )
    return bound


def fits_shape(found: Sequence[int], wanted: Sequence[Optional[int]]) -> bool:
    """Return whether a shape is the wanted one, of which None stands for any size."""
    pairs = zip(wanted, found)
    return len(found) == len(wanted) and all(size in (None, other) for size, other in pairs)


def shape_text(wanted: Sequence[Optional[int]]) -> str:
    """Return a shape for messages, such as ``(any, 3)``; None stands for any size."""
    return f'({", ".join("any" if size is None else str(size) for size in wanted)})'


def check_choice(value: Any, choices: Collection[Any], name: str) -> None:
    """Check that the value of an option is one of several choices.

    Args:
        value (Any): The value.
        choices (Collection): The allowed values.
        name (str): Name of the option in the error.

    Raises:
        ConfigError: If the value is not one of the choices.
    """
    if value not in tuple(choices):
        raise ConfigError(f'`{name}` should be one of {tuple(choices)}, got {value!r}')


def check_at_least(least: float, **values: Optional[float]) -> None:
    """Check options that have a lower limit.

    Args:
        least (float): The smallest allowed value.
        values (float, optional): Values by the name of their option; None is allowed.

    Raises:
        ConfigError: If a value is smaller, or no number.
    """
    for name, value in values.items():
        if value is not None and not (is_number(value) and value >= least):
            raise ConfigError(f'`{name}` should be at least {least}, got {value!r}')


def check_positive(**values: float) -> None:
    """Check options that are above 0 and finite.

    Args:
        values (float): Values by the name of their option.

    Raises:
        ConfigError: If a value is not.
    """
    for name, value in values.items():
        if not (is_number(value) and 0 < value < math.inf):
            raise ConfigError(f'`{name}` should be positive and finite, got {value!r}')


def is_number(value: Any) -> bool:
    """Return whether a value is a real number, not a truth value."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
