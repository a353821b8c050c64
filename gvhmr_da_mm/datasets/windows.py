"""Random training windows of clips, and their padding.

Source: GVHMR, Sec. 4.1 (clips of at most 120 frames).
"""

import numpy as np
import torch
from torch import Tensor


def draw_window(
    start: int, end: int, min_len: int, max_len: int, rng: np.random.Generator
) -> tuple[int, int]:
    """Draw a window: first its length, then its first frame, both uniformly.

    Args:
        start (int): First usable frame.
        end (int): One past the last usable frame.
        min_len (int): Shortest window in frames; a shorter clip is used as a whole.
        max_len (int): Longest window in frames.
        rng (np.random.Generator): Source of randomness.

    Returns:
        tuple[int, int]: First frame and one past the last.
    """
    available = end - start
    if available <= min_len:
        return start, end
    length = int(rng.integers(min_len, min(max_len, available) + 1))
    first = start + int(rng.integers(0, available - length + 1))
    return first, first + length


def num_windows(lengths: np.ndarray, max_len: int) -> np.ndarray:
    """Return how often clips of ``lengths`` (N,) frames are listed per epoch (N,)."""
    return np.maximum(lengths // max_len, 1)


def pad_frames(tensors: dict[str, Tensor], length: int) -> dict[str, Tensor]:
    """Repeat the last frame of tensors (L, ...) of one length until they have ``length`` frames."""
    frames = min(map(len, tensors.values()), default=length)
    if frames >= length:
        return tensors
    index = torch.arange(length).clamp_(max=frames - 1)
    return {key: tensor.index_select(0, index) for key, tensor in tensors.items()}
