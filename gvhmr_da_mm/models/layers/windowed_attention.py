"""Attention within a window of frames, in time and memory linear in their number."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from .key_window import BLOCK_SIZE, KeyWindow, WindowPart


def windowed_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window: Optional[KeyWindow] = None,
    dropout_p: float = 0.0,
) -> Tensor:
    """Attend to the visible keys of a window, part by part.

    Note:
        Shape letters: B batch, H heads, L frames, D channels of a head.

    Args:
        query (Tensor): Shape (B, H, L, D).
        key (Tensor): Shape (B, H, L, D).
        value (Tensor): Shape (B, H, L, D).
        window (KeyWindow, optional): Visible keys. Defaults to all.
        dropout_p (float): Dropout of the weights. Defaults to 0.

    Returns:
        Tensor: Shape (B, H, L, D).
    """
    if window is None:
        return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout_p)
    parts = [
        _attend(query, key, value, part, bias, dropout_p)
        for part, bias in zip(window.parts, window.biases(query.dtype))
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    part: WindowPart,
    bias: Optional[Tensor],
    dropout_p: float,
) -> Tensor:
    """Compute the rows (B, H, rows, D) of one part."""
    query, key, value = query[:, :, part.rows], key[:, :, part.keys], value[:, :, part.keys]
    if not part.is_blocked:
        return F.scaled_dot_product_attention(query, key, value, bias, dropout_p)
    blocks = F.scaled_dot_product_attention(
        query.unflatten(2, (-1, BLOCK_SIZE)).transpose(1, 2).flatten(0, 1),
        _overlapping(key, bias.shape[-1]),
        _overlapping(value, bias.shape[-1]),
        bias,
        dropout_p,
    )
    return blocks.unflatten(0, (len(query), -1)).transpose(1, 2).flatten(2, 3)


def _overlapping(x: Tensor, size: int) -> Tensor:
    """Return overlapping blocks (B x blocks, H, size, D) of (B, H, L, D), without a copy if B = 1.

    A block starts ``BLOCK_SIZE`` frames after the one before.
    """
    return x.unfold(2, size, BLOCK_SIZE).permute(0, 2, 1, 4, 3).flatten(0, 1)
