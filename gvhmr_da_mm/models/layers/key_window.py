"""Which frames each frame may attend to."""

from dataclasses import dataclass
from functools import cached_property
from typing import Optional

import torch
from torch import Tensor


@dataclass(frozen=True)
class KeyWindow:
    """One half-open interval of visible keys per query: ``low <= key < high``.

    Note:
        Shape letters: B batch (or 1 if all samples agree), L frames.

    An interval says all that padding and the local band need, so that an attention with O(L)
    memory can use the two bounds, and only the dense one has to build :attr:`mask`.

    Args:
        low (Tensor): First visible key (B, L).
        high (Tensor): One past the last visible key (B, L), greater than ``low``.
    """

    low: Tensor
    high: Tensor

    @classmethod
    def build(
        cls,
        num_frames: int,
        max_len: int,
        length: Optional[Tensor] = None,
        device: Optional[torch.device] = None,
    ) -> Optional['KeyWindow']:
        """Combine padding with the local band of sequences longer than those trained on.

        A sequence of at most ``max_len`` frames sees all of its valid frames. In a longer one,
        frame i sees ``max_len // 2`` frames to each side, and frames near the borders see the
        first or last ``max_len`` frames. Padding rows whose band holds no valid frame see the last
        valid ones instead: without a key, softmax would make them NaN.

        Args:
            num_frames (int): Frames L of the (padded) batch.
            max_len (int): Longest sequence seen in training.
            length (Tensor, optional): Valid frames (B,). Defaults to all.
            device (torch.device, optional): Where the bounds go. Defaults to where ``length`` is.

        Returns:
            KeyWindow, optional: None if every frame sees every other one.

        Source: GVHMR, Sec. 3.3.
        """
        if length is None and num_frames <= max_len:
            return None
        device = device if length is None else length.device
        frame = torch.arange(num_frames, device=device)[None]
        if num_frames <= max_len:
            low, high = torch.zeros_like(frame), torch.full_like(frame, num_frames)
        else:
            half = max_len // 2
            low = (frame - half).clamp(0, num_frames - max_len)
            high = (frame + half).clamp(max_len, num_frames)
        if length is None:
            return cls(low, high)
        # An empty sample keeps one key, again to stay finite; nothing reads its output.
        end = length.clamp(min=1)[:, None]
        shifted = torch.where(low < end, low, (end - max_len).clamp(min=0))
        return cls(shifted, torch.minimum(high, end))

    @cached_property
    def mask(self) -> Tensor:
        """Visibility as a boolean (B, 1, L, L), rows are queries; built once for all layers."""
        key = torch.arange(self.low.shape[-1], device=self.low.device)
        return ((key >= self.low[..., None]) & (key < self.high[..., None]))[:, None]
