"""Random numbers for simulated keypoint noise."""

import math
from typing import Optional

import torch
from torch import Tensor

from gvhmr_da_mm.core.constants import constant


class RandomDraw:
    """Source of random numbers and tables with the dtype and device of a tensor.

    Args:
        like (Tensor): Floating-point tensor.
        generator (torch.Generator, optional): Source of randomness, on the device of the tensor;
            the global one if None.
    """

    def __init__(self, like: Tensor, generator: Optional[torch.Generator]) -> None:
        self.device = like.device
        self._like = like
        self._options = dict(dtype=like.dtype, device=like.device, generator=generator)

    def normal(self, *shape: int) -> Tensor:
        """Draw from N(0, 1)."""
        return torch.randn(shape, **self._options)

    def uniform(self, *shape: int) -> Tensor:
        """Draw from [0, 1)."""
        return torch.rand(shape, **self._options)

    def table(self, groups: tuple[float, ...]) -> Tensor:
        """Expand one number per group of joints to the joints, (17, 1)."""
        per_joint = (groups[0], *(number for number in groups[1:] for _ in range(2)))
        return constant(per_joint, self._like)[:, None]

    def span(self, valid: Tensor, frames: tuple[int, int], probability: float) -> Tensor:
        """Draw a span of valid frames for some clips.

        Args:
            valid (Tensor): Valid frames (B, L), boolean, before the padding.
            frames (tuple[int, int]): Shortest and longest span; it fills shorter clips.
            probability (float): Probability of a span per clip.

        Returns:
            Tensor: Boolean (B, L).
        """
        B, L = valid.shape
        shortest, longest = frames
        count = valid.sum(dim=1, keepdim=True)
        length = shortest + (self.uniform(B, 1) * (longest - shortest + 1)).long()
        start = (self.uniform(B, 1) * ((count - length).clamp(min=0) + 1)).long()
        frame = torch.arange(L, device=valid.device)
        inside = (frame >= start) & (frame < start + length)
        return inside & (self.uniform(B, 1) < probability)

    def correlated(self, frames: int, decay: float, *shape: int) -> Tensor:
        """Draw a stationary Gaussian signal of unit variance with exponential correlation.

        Args:
            frames (int): Number of frames L.
            decay (float): Frames in which the correlation falls to 1 / e.
            shape (int): Sizes before the frames.

        Returns:
            Tensor: Shape (*shape, L).
        """
        white = self.normal(*shape, frames)
        keep = math.exp(-1 / decay)
        frame = torch.arange(frames, dtype=white.dtype, device=white.device)
        delay = frame[:, None] - frame
        # Row t sums the innovations up to frame t; the first has unit variance.
        weights = torch.where(delay >= 0, keep ** delay.clamp(min=0), 0.0)
        weights[:, 1:] *= (1 - keep**2) ** 0.5
        return white @ weights.T
