"""Height of the ground below a motion.

Note:
    Shape letters: B clips, L frames, J joints, S static joints.
"""

import torch
from torch import Tensor

from ..conventions import STATIC_JOINTS

FEET = tuple(index for index, joint in enumerate(STATIC_JOINTS) if joint in (7, 8, 10, 11))
"""Ankles and feet among the static joints."""
FEET_QUANTILE = 0.1
"""Steps of stairs count; a tenth of the frames may be wrong."""


def lowest_joint(joints_w: Tensor, valid: Tensor) -> Tensor:
    """Return the height (B,) of the lowest joint of all valid frames, as published; m.

    Args:
        joints_w (Tensor): World joints (B, L, J, 3), y up, metres.
        valid (Tensor): Frames that exist (B, L), bool. Clips without any get infinity.
    """
    return joints_w[..., 1].amin(dim=2).masked_fill(~valid, torch.inf).amin(dim=1)


def ground_height(joints_w: Tensor, contact: Tensor, valid: Tensor) -> Tensor:
    """Return the height (B,) on which a body stands, whatever single frames say; metres.

    It is a low quantile of the lowest foot over the frames in which a foot stands still, or over
    all frames if none does. A body that lies or stands on its hands has joints below its feet: the
    ground is not above what is the lowest joint in half of the frames.

    Args:
        joints_w (Tensor): World joints (B, L, J, 3), y up, metres; the first 22 of the SMPL family.
        contact (Tensor): Whether each static joint stands still (B, L, S), bool.
        valid (Tensor): Frames that exist (B, L), bool. Clips without any get infinity.
    """
    heights = joints_w[..., 1]
    feet = heights[..., [STATIC_JOINTS[index] for index in FEET]]
    standing = contact[..., FEET] & valid[..., None]
    none = ~standing.any(dim=2).any(dim=1)
    standing = torch.where(none[:, None, None], valid[..., None], standing)
    lowest_foot = feet.masked_fill(~standing, torch.inf).amin(dim=2)
    lowest = heights.amin(dim=2).masked_fill(~valid, torch.inf)
    return torch.minimum(_quantile(lowest_foot, FEET_QUANTILE), _quantile(lowest, 0.5))


def _quantile(values: Tensor, share: float) -> Tensor:
    """Return the value (B,) that a share of the finite ones of (B, L) does not exceed."""
    count = values.isfinite().sum(dim=1, keepdim=True)
    index = (share * (count - 1).clamp(min=0)).long()
    return values.sort(dim=1).values.gather(1, index)[:, 0]
