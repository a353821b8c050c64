"""Correction of the world trajectory by static joints, for a camera that may move.

Note:
    Shape letters: B clips, L frames, J joints.
"""

from typing import Optional

from torch import Tensor

from ..filtering import gaussian_smooth, hold_last_valid
from .root_trajectory import (
    HORIZONTAL,
    check_trajectory,
    contact_sliding,
    put_on_ground,
    remove_displacement,
)

TRAJECTORY_SMOOTHING = 3.0
"""Sigma in frames of the Gaussian that smooths the horizontal trajectory."""


def correct_moving_camera(
    transl_w: Tensor,
    joints_w: Tensor,
    static_logits: Tensor,
    valid: Optional[Tensor] = None,
    compat: str = 'correct',
    doubt: Optional[float] = None,
) -> Tensor:
    """Move the root so that static joints do not slide (GVHMR, post-processing).

    The displacement of the static joints, averaged with their weights, is subtracted from each step
    of the root. The horizontal trajectory is then smoothed,
    and the ground is put at y = 0.

    Args:
        transl_w (Tensor): World translation (B, L, 3), metres.
        joints_w (Tensor): World joints (B, L, J, 3) at that translation, metres; the first 22 of
            the SMPL family.
        static_logits (Tensor): Contact logits of the static joints (B, L, 6); those of frame t
            are for the step from t to t + 1.
        valid (Tensor, optional): Frames that exist (B, L), bool, at the start of each clip.
            Padding has no effect on them. Defaults to None: all.
        compat (str): Height of the ground, see :func:`put_on_ground`. Defaults to ``'correct'``.
        doubt (float, optional): Weights of the joints as :func:`contact_sliding` has them. Defaults
            to None: the softmax of the positive logits.

    Returns:
        Tensor: World translation (B, L, 3), metres.

    Raises:
        ShapeError: If a shape is wrong, or there is no frame.
    """
    valid = check_trajectory(transl_w, joints_w, static_logits, valid)
    sliding = contact_sliding(joints_w, static_logits, doubt, _softmax_weights)
    trajectory = hold_last_valid(remove_displacement(transl_w, sliding), valid)

    smooth = trajectory.clone()
    for axis in HORIZONTAL:
        smooth[..., axis] = gaussian_smooth(trajectory[..., axis], TRAJECTORY_SMOOTHING, dim=1)
    joints = joints_w + (smooth - transl_w)[:, :, None]
    return put_on_ground(smooth, joints, static_logits, valid, compat)


def _softmax_weights(static_logits: Tensor) -> Tensor:
    """Return the softmax (B, L, S) of the positive logits."""
    positive = static_logits > 0
    # A finite number, since a softmax over nothing but minus infinity is NaN.
    return static_logits.masked_fill(~positive, -1e6).softmax(dim=-1) * positive
