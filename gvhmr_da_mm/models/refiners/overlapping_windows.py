"""Overlapping windows of a long clip, and the passage from one to the next."""

import torch
from torch import Tensor


def overlapping_windows(frames: int, longest: int, overlap: int) -> list[slice]:
    """Divide a clip into windows of about the same length.

    Args:
        frames (int): Frames of the clip.
        longest (int): Most frames of a window, more than ``overlap``.
        overlap (int): Frames that neighbours share.

    Returns:
        list[slice]: Windows in order; one if the clip is no longer than ``longest``.
    """
    if frames <= longest:
        return [slice(0, frames)]
    own = frames - overlap
    count = -(-own // (longest - overlap))
    bounds = [number * own // count for number in range(count + 1)]
    return [slice(start, end + overlap) for start, end in zip(bounds, bounds[1:])]


def cross_fade(before: Tensor, after: Tensor) -> Tensor:
    """Pass from one series (..., L) to another, whose weight grows linearly over the frames."""
    frames = before.shape[-1]
    weight = torch.arange(1, frames + 1, device=before.device).to(before) / (frames + 1)
    return torch.lerp(before, after, weight)
