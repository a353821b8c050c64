"""Correction of the height of a motion by the contacts of its feet with the floor."""

import math

import torch
from torch import Tensor

from ..conventions import FOOT_JOINTS
from ..filtering import gaussian_smooth

STEP = 0.15
"""Metres; the steps of stairs are higher, and errors of the leg in stance are lower."""
SMOOTHING_SIGMA = 10.0
"""Sigma in frames of the smoothing of the correction: the height drifts slowly."""


def floor_drift_lift(joints_w: Tensor, contact: Tensor, step: float = STEP) -> Tensor:
    """Return how much to lift each frame (F,), so that the floor does not drift.

    The height of the lowest foot in contact is taken for that of the floor. From one contact to the
    next it may change by ``step`` or more, as on stairs; all smaller changes are drift, also those
    of a slope, which cannot be told from an error of gravity. The result moves the floor to the
    median of its drift, interpolated between contacts.

    Args:
        joints_w (Tensor): World joints (F, 22, 3), y up, metres.
        contact (Tensor): Contact of each of the ``STATIC_JOINTS`` (F, 6), bool. Without any contact
            of a foot nothing is lifted.
        step (float): Lowest step of a floor, metres; infinite for a flat floor. Defaults to 0.15.
    """
    feet = contact[:, : len(FOOT_JOINTS)]
    heights = joints_w[:, FOOT_JOINTS, 1].masked_fill(~feet, math.inf).amin(dim=1)
    known = heights.isfinite()
    if not known.any():
        return torch.zeros_like(heights)
    floor = heights[known]
    change = floor.diff(prepend=floor[:1])
    drift = torch.where(change.abs() < step, change, 0.0).cumsum(dim=0)
    frames, rows = torch.arange(len(heights)), known.nonzero()[:, 0]
    after = torch.searchsorted(rows, frames).clamp(max=len(rows) - 1)
    before = (torch.searchsorted(rows, frames, right=True) - 1).clamp(min=0)
    start, end = rows[before], rows[after]
    share = (frames - start) / (end - start).clamp(min=1)
    everywhere = torch.lerp(drift[before], drift[after], share.clamp(0, 1).to(drift))
    return drift.median() - gaussian_smooth(everywhere, SMOOTHING_SIGMA, dim=0)
