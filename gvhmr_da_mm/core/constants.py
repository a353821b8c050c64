"""Small constants as tensors, made once for each device.

Making a tensor of numbers on a GPU, or indexing one there by a list, waits for the device.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Optional

import torch
from torch import Tensor


def constant(values: Any, like: Tensor, dtype: Optional[torch.dtype] = None) -> Tensor:
    """Return numbers as a tensor on the device of another.

    Args:
        values (float | tuple): A number, or (nested) tuples of numbers.
        like (Tensor): Gives the device, and the type.
        dtype (torch.dtype, optional): Another type. Defaults to None: that of ``like``.

    Returns:
        Tensor: Shared by all callers: never change it in place.
    """
    return _make(values, dtype or like.dtype, like.device)


def joint_index(joints: Sequence[int], like: Tensor) -> Tensor:
    """Return an index of joints on the device of another tensor, shared by all callers."""
    return constant(tuple(joints), like, torch.long)


@lru_cache(maxsize=256)
def _make(values: Any, dtype: torch.dtype, device: torch.device) -> Tensor:
    # Tensors made in inference mode could not be saved for a later backward pass.
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)
