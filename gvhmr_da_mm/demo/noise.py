"""Random signals: white and slow Gaussian noise."""

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.filtering import gaussian_smooth


def slow_noise(
    frames: int, shape: tuple[int, ...], sigma: float, rng: np.random.Generator
) -> Tensor:
    """Draw a stationary Gaussian signal of unit variance that is correlated over time.

    Args:
        frames (int): Length F.
        shape (tuple[int]): Shape of one frame.
        sigma (float): Sigma in frames of the Gaussian that smooths white noise.
        rng (Generator): Source of all randomness.

    Returns:
        Tensor: Shape (F, *shape).
    """
    margin = int(4 * sigma + 1)  # cut off, as smoothing repeats the ends
    white = rng.standard_normal((frames + 2 * margin, *shape))
    smooth = gaussian_smooth(torch.from_numpy(white).float(), sigma, dim=0)
    # Averaging white noise over a Gaussian window shrinks it by (2 sqrt(pi) sigma)^(-1/2).
    return smooth[margin : margin + frames] * (2 * np.pi**0.5 * sigma) ** 0.5


def white_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Draw independent numbers from N(0, 1)."""
    return torch.from_numpy(rng.standard_normal(shape)).float()
