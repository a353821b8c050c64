"""Tensors that repeat a part of themselves without memory of their own."""

import torch
from torch import Tensor


def unexpanded(value: Tensor) -> Tensor:
    """Return what an expanded tensor repeats; ``expand(value.shape)`` of it is the whole again.

    Copies and pinned memory cannot be made of the expanded tensor itself.
    """
    if not value.numel():
        return value
    return value[tuple(slice(1 if step == 0 else None) for step in value.stride())]


def join_batches(first: Tensor, second: Tensor) -> Tensor:
    """Concatenate batches (B, ...) and (C, ...); frames that both repeat stay repeated."""
    parts = [unexpanded(value) for value in (first, second)]
    whole = len(parts[0]) == len(first) and len(parts[1]) == len(second)
    if not whole or parts[0].shape[1:] != parts[1].shape[1:]:
        return torch.cat((first, second))
    return torch.cat(parts).expand(-1, *first.shape[1:])
