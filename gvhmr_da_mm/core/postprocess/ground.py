"""Height of the ground below a motion.

Note:
    Shape letters: B clips, L frames, J joints, S static joints.
"""

import torch
from torch import Tensor

from ..conventions import FOOT_JOINTS

FEET_QUANTILE = 0.1
"""A lower one follows single wrong frames, a higher one ignores the lowest steps of stairs."""


def lowest_joint(joints_w: Tensor, valid: Tensor) -> Tensor:
    """Return the height (B,) of the lowest joint of all valid frames, as published; m.

    Args:
        joints_w (Tensor): World joints (B, L, J, 3), y up, metres.
        valid (Tensor): Frames that exist (B, L), bool. Clips without any get infinity.
    """
    return joints_w[..., 1].amin(dim=2).masked_fill(~valid, torch.inf).amin(dim=1)


def ground_height(joints_w: Tensor, contact: Tensor, valid: Tensor) -> Tensor:
    """Return the height (B,) of the ground, robust to single wrong frames; metres.

    It is a low quantile of the lowest foot over the frames with a foot contact, or over all frames
    if there is none. A body that lies or stands on its hands has joints below its feet: the ground
    is not above the median height of the lowest joint.

    Args:
        joints_w (Tensor): World joints (B, L, J, 3), y up, metres; the first 22 of the SMPL family.
        contact (Tensor): Contact of each static joint (B, L, S), bool.
        valid (Tensor): Frames that exist (B, L), bool. Clips without any get infinity.
    """
    heights = joints_w[..., 1]
    feet = heights[..., FOOT_JOINTS]
    standing = contact[..., : len(FOOT_JOINTS)] & valid[..., None]
    none = ~standing.any(dim=2).any(dim=1)
    standing = torch.where(none[:, None, None], valid[..., None], standing)
    lowest_foot = feet.masked_fill(~standing, torch.inf).amin(dim=2)
    lowest = heights.amin(dim=2).masked_fill(~valid, torch.inf)
    return torch.minimum(_quantile(lowest_foot, FEET_QUANTILE), _quantile(lowest, 0.5))


def _quantile(values: Tensor, share: float) -> Tensor:
    """Return a quantile (B,) of the finite values of (B, L), without interpolation."""
    count = values.isfinite().sum(dim=1, keepdim=True)
    index = (share * (count - 1).clamp(min=0)).long()
    return values.sort(dim=1).values.gather(1, index)[:, 0]
