"""Contacts on which the network and its motion agree.

Note:
    Shape letters: B clips, L frames, J joints, S static joints.
"""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from ..conventions import FPS
from ..filtering import gaussian_smooth, hold_last_valid
from .root_trajectory import static_displacement

SPEED_SMOOTHING = 3.0
"""Sigma in frames of the Gaussian that smooths velocities: a foot that trembles may stand."""


def agreed_contacts(
    static_logits: Tensor, joints_w: Tensor, tolerance: float, valid: Optional[Tensor] = None
) -> Tensor:
    """Lower the contact logits of joints that move in the predicted world.

    The speed of a joint that stands is the error of the motion, taken as Gaussian: its
    log-likelihood is added to the logit. So a foot that swings does not count as standing, however
    sure the network is.

    Args:
        static_logits (Tensor): Contact logits of the static joints (B, L, S); those of frame t are
            for the step from t to t + 1.
        joints_w (Tensor): World joints (B, L, J, 3), metres; the first 22 of the SMPL family.
        tolerance (float): Standard deviation of the speed of a standing joint, m/s.
        valid (Tensor, optional): Frames that exist (B, L), bool, at the start of each clip.
            Padding has no effect on them. Defaults to None: all.

    Returns:
        Tensor: Contact logits (B, L, S), none above the given one.
    """
    if joints_w.shape[1] < 2:
        return static_logits
    if valid is None:
        valid = torch.ones_like(static_logits[..., 0], dtype=torch.bool)
    has_next = F.pad(valid[:, 1:], (0, 1))
    # The last frame has no step: it takes that of the frame before.
    step = hold_last_valid(F.pad(static_displacement(joints_w), (0, 0, 0, 0, 0, 1)), has_next)
    speed = FPS * gaussian_smooth(step, SPEED_SMOOTHING, dim=1).norm(dim=-1)
    speed = hold_last_valid(speed, has_next)
    return static_logits - (speed / tolerance).square() / 2
