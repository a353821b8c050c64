"""Smoothing over time, joint speeds and masks of valid frames."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from .conventions import STATIC_FRAME_TIME, STATIC_SPEED

KERNEL_RADIUS = 4.0
"""Radius of a Gaussian kernel in standard deviations."""


def gaussian_smooth(signal: Tensor, sigma: float, dim: int, padding: str = 'replicate') -> Tensor:
    """Smooth a signal along ``dim`` with a Gaussian of ``sigma`` frames.

    ``padding`` is what is beyond the borders: ``'replicate'``, their values, or ``'constant'``,
    zeros.
    """
    radius = int(KERNEL_RADIUS * sigma + 0.5)
    offset = torch.arange(-radius, radius + 1, dtype=signal.dtype, device=signal.device)
    kernel = torch.exp(-0.5 * (offset / sigma) ** 2)
    moved = signal.movedim(dim, -1)
    rows = F.pad(moved.reshape(-1, 1, moved.shape[-1]), (radius, radius), mode=padding)
    smooth = F.conv1d(rows, (kernel / kernel.sum())[None, None])
    return smooth.reshape(moved.shape).movedim(-1, dim)


def joint_speed(joints: Tensor) -> Tensor:
    """Return speeds (..., F-1, J) in m/s of joints (..., F, J, 3)."""
    return (joints[..., 1:, :, :] - joints[..., :-1, :, :]).norm(dim=-1) / STATIC_FRAME_TIME


def static_mask(
    joints: Tensor,
    threshold: float = STATIC_SPEED,
    repeat_last: bool = True,
    smooth_sigma: float = 0.0,
) -> Tensor:
    """Return which joints are static.

    Args:
        joints (Tensor): World joints (..., F, J, 3) in metres.
        threshold (float): Speed in m/s below which a joint is static. Defaults to 0.15.
        repeat_last (bool): Repeat the last value, so that every frame has one. Defaults to True.
        smooth_sigma (float): Smooth the speed over time first, in frames. Defaults to 0, off.

    Returns:
        Tensor: Boolean (..., F, J), or (..., F-1, J) without ``repeat_last``.
    """
    if joints.shape[-3] == 1:
        shape = joints.shape[:-1] if repeat_last else (*joints.shape[:-3], 0, joints.shape[-2])
        return joints.new_ones(shape, dtype=torch.bool)
    speed = joint_speed(joints)
    if smooth_sigma:
        speed = gaussian_smooth(speed, smooth_sigma, dim=-2)
    mask = speed < threshold
    return torch.cat((mask, mask[..., -1:, :]), dim=-2) if repeat_last else mask


def length_to_mask(length: Tensor, max_length: int) -> Tensor:
    """Return a boolean mask (B, L), true for the first ``length[b]`` frames."""
    return torch.arange(max_length, device=length.device) < length[:, None]


def length_unless_full(valid: Tensor) -> Optional[Tensor]:
    """Return the number of valid frames (B,) of a mask (B, L), or None if all are known to be.

    None saves the masking; it is for the CPU alone, as asking a GPU would wait for it.
    """
    if valid.device.type == 'cpu' and bool(valid.all()):
        return None
    return valid.sum(dim=1)


def hold_last_valid(signal: Tensor, valid: Tensor) -> Tensor:
    """Repeat the last valid frame of a signal (B, L, ...) to its end, given a mask (B, L).

    A filter over time then gives the same at the end of a clip with and without padding. Clips
    without a valid frame stay as they are.
    """
    frame = torch.arange(valid.shape[1], device=valid.device)
    last = torch.where(valid, frame, -1).amax(dim=1, keepdim=True)
    source = torch.where(last < 0, frame, torch.minimum(frame, last))
    clip = torch.arange(valid.shape[0], device=valid.device)[:, None]
    return signal[clip, source]
