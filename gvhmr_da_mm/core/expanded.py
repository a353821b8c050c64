"""Tensors that repeat a part of themselves without memory of their own."""

from torch import Tensor


def unexpanded(value: Tensor) -> Tensor:
    """Return what an expanded tensor repeats; ``expand(value.shape)`` of it is the whole again.

    Copies and pinned memory cannot be made of the expanded tensor itself.
    """
    if not value.numel():
        return value
    return value[tuple(slice(1 if step == 0 else None) for step in value.stride())]
