"""Functions of single frames over long sequences."""

from collections.abc import Callable

import torch
from torch import Tensor

CHUNK_FRAMES = 2048
"""Frames at a time: fewer make no difference beside what other parts of a network need."""


def by_frames(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Apply a function of each frame, without a graph to a chunk of a long sequence at a time.

    So what the function needs in between takes the memory of a chunk.

    Args:
        function (Callable): Maps tensors (B, L, ...) to one (B, L, C).
        inputs (Tensor): Its arguments (B, L, ...).
    """
    if torch.is_grad_enabled() or inputs[0].shape[1] <= CHUNK_FRAMES:
        return function(*inputs)
    chunks = zip(*(value.split(CHUNK_FRAMES, dim=1) for value in inputs))
    return torch.cat([function(*chunk) for chunk in chunks], dim=1)
