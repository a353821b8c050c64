"""Correction of the world trajectory by the one in the frame of a static camera.

Note:
    Shape letters: B clips, L frames, J joints.
"""

from typing import Optional

import torch
from torch import Tensor

from ..checks import check_shape
from ..filtering import gaussian_smooth, hold_last_valid
from .root_trajectory import (
    HORIZONTAL,
    check_trajectory,
    contact_sliding,
    put_on_ground,
    remove_displacement,
)

CAMERA_SMOOTHING = 5.0
"""Sigma in frames of the Gaussian that smooths the trajectory in the camera."""
TOLERATED_GAP = 0.25
"""Difference in metres per axis between the trajectories that is left as it is."""
MAX_PULL = 0.02
"""Largest correction of one frame in metres per axis."""
STATIC_PROBABILITY = 0.8
"""Contact probability above which a joint holds the root."""


def correct_static_camera(
    transl_w: Tensor,
    joints_w: Tensor,
    R_w: Tensor,
    transl_c: Tensor,
    R_c: Tensor,
    root_offset: Tensor,
    static_logits: Tensor,
    valid: Optional[Tensor] = None,
    compat: str = 'correct',
    doubt: Optional[float] = None,
) -> Tensor:
    """Keep the world trajectory near the one in the camera, which does not drift (GVHMR).

    The smoothed camera trajectory is transformed to the world by orientation and pelvis of the
    first frame. Where a coordinate of the world trajectory is off by 0.25 m or more, it and all
    later ones are moved by at most 0.02 m. Then the mean horizontal displacement of the static
    joints is removed, and the ground is put at y = 0.

    Args:
        transl_w (Tensor): World translation (B, L, 3), metres.
        joints_w (Tensor): World joints (B, L, J, 3) at that translation, metres; the first 22 of
            the SMPL family.
        R_w (Tensor): World orientation of the root (B, L, 3, 3).
        transl_c (Tensor): Camera translation (B, L, 3), metres.
        R_c (Tensor): Camera orientation of the root (B, L, 3, 3).
        root_offset (Tensor): Rest position of the pelvis (B, L, 3), metres.
        static_logits (Tensor): Contact logits of the static joints (B, L, 6); those of frame t
            are for the step from t to t + 1.
        valid (Tensor, optional): Frames that exist (B, L), bool, at the start of each clip.
            Padding has no effect on them. Defaults to None: all.
        compat (str): Height of the ground, see :func:`put_on_ground`. Defaults to ``'correct'``.
        doubt (float, optional): Weights of the joints as :func:`contact_sliding` has them. Defaults
            to None: equal weights of the joints that are static with probability > 0.8.

    Returns:
        Tensor: World translation (B, L, 3), metres, without graph.

    Raises:
        ShapeError: If a shape is wrong, or there is no frame.
    """
    valid = check_trajectory(transl_w, joints_w, static_logits, valid)
    sizes = dict(zip('BL', transl_w.shape[:2]))
    for name, value in (('transl_c', transl_c), ('root_offset', root_offset)):
        check_shape(value, 'B L 3', name, **sizes)
    for name, value in (('R_w', R_w), ('R_c', R_c)):
        check_shape(value, 'B L 3 3', name, **sizes)

    smooth_c = gaussian_smooth(hold_last_valid(transl_c, valid), CAMERA_SMOOTHING, dim=1)
    seen_c = smooth_c + root_offset
    R_c2w = R_w[:, 0] @ R_c[:, 0].mT
    pelvis_w = joints_w[:, :, 0]
    seen_w = (seen_c - seen_c[:, :1]) @ R_c2w.mT + pelvis_w[:, :1]
    trajectory = transl_w + _pull(seen_w - pelvis_w)

    joints = joints_w + (trajectory - transl_w)[:, :, None]
    sliding = contact_sliding(joints, static_logits, doubt, _equal_weights)
    horizontal = torch.zeros_like(sliding)
    horizontal[..., HORIZONTAL] = sliding[..., HORIZONTAL]
    trajectory = remove_displacement(trajectory, horizontal)
    joints = joints_w + (trajectory - transl_w)[:, :, None]
    return put_on_ground(trajectory, joints, static_logits, valid, compat)


def _equal_weights(static_logits: Tensor) -> Tensor:
    """Return equal weights (B, L, S) of the joints that are probably static."""
    held = (static_logits.sigmoid() > STATIC_PROBABILITY).to(static_logits)
    return held / held.sum(dim=-1, keepdim=True).clamp(min=1)


def _pull(gap: Tensor) -> Tensor:
    """Return the accumulated correction of each coordinate, given its gap (B, L, 3) to the target.

    Each frame's correction depends on all earlier ones. The loop over the frames is over Python
    numbers, as operations on arrays of three are two orders of magnitude slower.
    """
    curves = gap.detach().cpu().double().mT
    moved = [[_pull_curve(curve) for curve in clip] for clip in curves.tolist()]
    # Empty lists have lost the shape.
    return torch.tensor(moved, dtype=torch.float64).reshape(curves.shape).mT.to(gap)


def _pull_curve(gaps: list[float]) -> list[float]:
    """Return the accumulated correction of each frame of one coordinate."""
    total, totals = 0.0, []
    for gap in gaps:
        rest = gap - total
        if rest >= TOLERATED_GAP:
            total += min(rest, MAX_PULL)
        elif rest <= -TOLERATED_GAP:
            total += max(rest, -MAX_PULL)
        totals.append(total)
    return totals
