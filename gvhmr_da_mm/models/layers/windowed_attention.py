"""Attention within a window of frames, in time and memory linear in their number."""

from collections.abc import Iterator
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from .key_window import BLOCK_SIZE, KeyWindow, WindowPart

MAX_BLOCKS = 32
"""Largest number of blocks without padding that are computed at once, as their keys are copies."""


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
        rows
        for part, bias in zip(window.parts, window.biases(query.dtype))
        for rows in _attend(query, key, value, part, bias, dropout_p)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    part: WindowPart,
    bias: Optional[Tensor],
    dropout_p: float,
) -> Iterator[Tensor]:
    """Yield the rows (B, H, rows, D) of one part, in order."""
    query, key, value = query[:, :, part.rows], key[:, :, part.keys], value[:, :, part.keys]
    if not part.is_blocked:
        yield F.scaled_dot_product_attention(query, key, value, bias, dropout_p)
        return
    rows, margin = query.shape[2], key.shape[2] - query.shape[2]
    # With padding, each block has a mask of its own.
    step = MAX_BLOCKS * BLOCK_SIZE if len(bias) == 1 else rows
    for start in range(0, rows, step):
        end = min(start + step, rows)
        keys = slice(start, end + margin)
        yield _attend_blocks(
            query[:, :, start:end], key[:, :, keys], value[:, :, keys], bias, dropout_p
        )


def _attend_blocks(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, dropout_p: float
) -> Tensor:
    """Return the rows (B, H, rows, D) of successive blocks."""
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
