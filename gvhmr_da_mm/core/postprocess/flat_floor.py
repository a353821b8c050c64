"""Correction of the height of a motion whose floor is known to be flat."""

import torch
from torch import Tensor

from ..conventions import FOOT_JOINTS
from ..filtering import gaussian_smooth

SMOOTHING_SIGMA = 10.0
"""Sigma in frames of the smoothing of the correction: the height drifts slowly."""


def flat_floor_lift(joints_w: Tensor, contact: Tensor) -> Tensor:
    """Return how much to lift each frame (F,), so that all contacts of the feet are at one height.

    The height of the lowest foot in contact is taken for that of the floor, interpolated between
    contacts; the result moves it to its median.

    Args:
        joints_w (Tensor): World joints (F, 22, 3), y up, metres.
        contact (Tensor): Contact of each of the ``STATIC_JOINTS`` (F, 6), bool. Without any contact
            of a foot nothing is lifted.
    """
    feet = contact[:, : len(FOOT_JOINTS)]
    heights = joints_w[:, FOOT_JOINTS, 1].masked_fill(~feet, torch.inf).amin(dim=1)
    known = heights.isfinite()
    if not known.any():
        return torch.zeros_like(heights)
    frames, rows = torch.arange(len(heights)), known.nonzero()[:, 0]
    after = torch.searchsorted(rows, frames).clamp(max=len(rows) - 1)
    before = (torch.searchsorted(rows, frames, right=True) - 1).clamp(min=0)
    start, end = rows[before], rows[after]
    share = (frames - start) / (end - start).clamp(min=1)
    floor = torch.lerp(heights[start], heights[end], share.clamp(0, 1).to(heights))
    floor = gaussian_smooth(floor, SMOOTHING_SIGMA, dim=0)
    return heights[known].median() - floor
