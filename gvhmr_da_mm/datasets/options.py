"""Checks of dataset options."""

from collections.abc import Sequence
from typing import Any

from ..core.errors import ConfigError


def check_choice(value: Any, choices: Sequence[Any], name: str) -> None:
    """Raise :class:`ConfigError` unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise ConfigError(f'`{name}` should be one of {tuple(choices)}, got {value!r}')
