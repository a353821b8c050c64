"""Decorator that keeps geometry out of automatic mixed precision."""

import functools
from collections.abc import Callable
from typing import Any

import torch


def full_precision(function: Callable) -> Callable:
    """Run a function outside autocast on every device.

    Rotations, skinning and projections lose metres of accuracy in half precision, unlike the
    layers of the network.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast('cuda', enabled=False), torch.autocast('cpu', enabled=False):
            return function(*args, **kwargs)

    return wrapper
