"""Window of visible keys of each frame, for attention that is local in long sequences."""

from typing import NamedTuple, Optional

import torch
from torch import Tensor

BLOCK_SIZE = 64
"""Queries per block: the fastest size on a CPU; GPU kernels need a multiple of 8."""


class WindowPart(NamedTuple):
    """Rows of the attention that are computed together, and the range of keys that they see."""

    rows: slice
    keys: slice
    mask: Optional[Tensor]
    """Visibility (B or 1, 1, rows, keys), bool; of blocks (B x blocks or 1, 1, BLOCK_SIZE, keys of
    a block). None if all is visible."""
    is_blocked: bool = False
    """Whether the rows are cut into blocks of ``BLOCK_SIZE``, whose keys overlap."""


class KeyWindow:
    """One half-open interval of visible keys per query.

    A sequence of at most ``max_len`` frames sees all of its valid frames. In a longer one, frame i
    sees ``max_len // 2`` frames to each side (``i - max_len // 2 <= key < i + max_len // 2``), and
    frames near a border see the ``max_len`` frames there. Padding is not seen, except by
    padding rows whose interval holds nothing else: without a key, softmax would make them NaN.
    Nothing reads these rows.

    So a long sequence has three parts: the first rows all see the same keys, so do the last ones,
    and the interval of those in between moves with them. These are cut into blocks, whose masks are
    equal without padding: the memory of masks is constant without padding, and O(L) with it.

    Note:
        Shape letters: B batch (or 1 if all samples agree), L frames.

    Args:
        num_frames (int): L.
        max_len (int): Longest sequence that is seen as a whole.
        length (Tensor, optional): Valid frames of each sample (B,). Defaults to None: all.
        device (torch.device, optional): Where masks go. Defaults to where ``length`` is.

    Source: GVHMR, Sec. 3.3.
    """

    def __init__(
        self,
        num_frames: int,
        max_len: int,
        length: Optional[Tensor] = None,
        device: Optional[torch.device] = None,
    ) -> None:
        self.num_frames = num_frames
        self.max_len = max_len
        # An empty sample keeps one key, again to stay finite.
        self.end = None if length is None else length.clamp(min=1)[:, None, None, None]
        self.device = device if length is None else length.device
        self.half = max_len // 2
        self.parts = self._long_parts() if num_frames > max_len else [self._short_part()]
        self._biases: dict[torch.dtype, list[Optional[Tensor]]] = {}

    @classmethod
    def build(
        cls,
        num_frames: int,
        max_len: int,
        length: Optional[Tensor] = None,
        device: Optional[torch.device] = None,
    ) -> Optional['KeyWindow']:
        """Return the window, or None if every frame sees every other one."""
        if length is None and num_frames <= max_len:
            return None
        return cls(num_frames, max_len, length, device)

    def biases(self, dtype: torch.dtype) -> list[Optional[Tensor]]:
        """Return the mask of each part as a summand of the logits, made once for all layers."""
        if dtype not in self._biases:
            masks = [part.mask for part in self.parts]
            self._biases[dtype] = [
                None
                if mask is None
                else torch.zeros_like(mask, dtype=dtype).masked_fill(~mask, -torch.inf)
                for mask in masks
            ]
        return self._biases[dtype]

    def mask(self) -> Tensor:
        """Return the whole mask (B, 1, L, L), rows are queries; takes O(L²) memory."""
        frames = self._frames(0, self.num_frames)
        return self._visible(frames, frames)

    def _short_part(self) -> WindowPart:
        frames = slice(0, self.num_frames)
        # All rows see the same keys, so one row of the mask is enough.
        mask = self._visible(self._frames(0, 1), self._frames(0, self.num_frames))
        return WindowPart(frames, frames, mask)

    def _long_parts(self) -> list[WindowPart]:
        length, half, max_len = self.num_frames, self.half, self.max_len
        head, tail = max_len - half, length - half
        blocked = head + (tail - head) // BLOCK_SIZE * BLOCK_SIZE
        parts = [self._part(slice(0, head), slice(0, max_len), alike=True)]
        if blocked > head:
            parts.append(self._blocked_part(slice(head, blocked)))
        if tail > blocked:
            parts.append(self._part(slice(blocked, tail), slice(blocked - half, tail + half)))
        parts.append(self._part(slice(tail, length), slice(length - max_len, length), alike=True))
        return parts

    def _part(self, rows: slice, keys: slice, alike: bool = False) -> WindowPart:
        """Return a part without blocks; without padding, rows that are alike see all its keys."""
        mask = None
        if self.end is not None or not alike:
            mask = self._visible(
                self._frames(rows.start, rows.stop), self._frames(keys.start, keys.stop)
            )
        return WindowPart(rows, keys, mask)

    def _blocked_part(self, rows: slice) -> WindowPart:
        # Without padding all blocks have the mask of the first one.
        count = 1 if self.end is None else (rows.stop - rows.start) // BLOCK_SIZE
        start = rows.start + BLOCK_SIZE * torch.arange(count, device=self.device)[:, None]
        row = start + self._frames(0, BLOCK_SIZE)
        key = start + self._frames(-self.half, BLOCK_SIZE + self.half)
        keys = slice(rows.start - self.half, rows.stop + self.half)
        mask = self._visible(row, key).flatten(0, 1)[:, None]
        return WindowPart(rows, keys, mask, is_blocked=True)

    def _frames(self, start: int, stop: int) -> Tensor:
        return torch.arange(start, stop, device=self.device)[None]

    def _visible(self, row: Tensor, key: Tensor) -> Tensor:
        """Return which keys (N, K) each row (N, R) of N blocks sees: (B or 1, N, R, K)."""
        row, key = row[..., None], key[:, None]
        low, high = torch.zeros_like(row), torch.full_like(row, self.num_frames)
        if self.num_frames > self.max_len:
            low = (row - self.half).clamp(0, self.num_frames - self.max_len)
            high = (row + self.half).clamp(self.max_len, self.num_frames)
        visible = ((key >= low) & (key < high))[None]
        if self.end is None:
            return visible
        return visible & ((key < self.end) | (low >= self.end))
