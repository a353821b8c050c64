"""Correction of the world path by the path that a static camera saw.

Note:
    Shape letters: B clips, L frames, J joints.
"""

from typing import Optional

import torch
from torch import Tensor

from ..checks import check_shape
from ..filtering import gaussian_smooth, hold_last_valid
from .root_path import (
    HORIZONTAL,
    check_path,
    put_on_ground,
    remove_displacement,
    static_displacement,
)

CAMERA_SMOOTHING = 5.0
"""Sigma in frames of the smoothing of the path in the camera."""
TOLERATED_GAP = 0.25
"""Metres per axis that the two paths may differ by."""
MAX_PULL = 0.02
"""Metres that a frame is pulled by at most."""
STATIC_PROBABILITY = 0.8
"""Joints that are more likely static than this hold the root."""


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
) -> Tensor:
    """Keep the world path near the one in the camera, which does not drift (post-processing).

    The smoothed camera path is brought to the world by the first frame's orientations and pelvis.
    Where a coordinate of the world path is off by 0.25 m or more, it and all later ones are pulled
    by at most 0.02 m. Then the mean horizontal displacement of the joints that are static with
    probability > 0.8 is removed, and the ground is put at y = 0.

    Args:
        transl_w (Tensor): World translation (B, L, 3), metres.
        joints_w (Tensor): World joints (B, L, J, 3) at that translation, metres; the first 22 of
            the SMPL family.
        R_w (Tensor): World orientation of the root (B, L, 3, 3).
        transl_c (Tensor): Camera translation (B, L, 3), metres.
        R_c (Tensor): Camera orientation of the root (B, L, 3, 3).
        root_offset (Tensor): Rest position of the pelvis (B, L, 3), metres.
        static_logits (Tensor): Logits of the static joints (B, L, 6); frame t tells of the step
            from t to t + 1.
        valid (Tensor, optional): Frames that exist (B, L), bool, at the start of each clip.
            Padding has no effect on them. Defaults to None: all.
        compat (str): Where the ground is, see :func:`put_on_ground`. Defaults to ``'correct'``.

    Returns:
        Tensor: World translation (B, L, 3), metres, without graph.

    Raises:
        ShapeError: If a shape is wrong, or there is no frame.
    """
    valid = check_path(transl_w, joints_w, static_logits, valid)
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
    path = transl_w + _pull(seen_w - pelvis_w)

    joints = joints_w + (path - transl_w)[:, :, None]
    held = (static_logits[:, :-1].sigmoid() > STATIC_PROBABILITY)[..., None].to(joints)
    sliding = (held * static_displacement(joints)).sum(dim=2) / held.sum(dim=2).clamp(min=1)
    horizontal = torch.zeros_like(sliding)
    horizontal[..., HORIZONTAL] = sliding[..., HORIZONTAL]
    path = remove_displacement(path, horizontal)
    joints = joints_w + (path - transl_w)[:, :, None]
    return put_on_ground(path, joints, static_logits, valid, compat)


def _pull(gap: Tensor) -> Tensor:
    """Return how far each coordinate is moved in total, given its gap (B, L, 3) to the target.

    Each frame's pull depends on all earlier ones, so this is a loop over the frames: over Python
    numbers, which are two orders of magnitude faster here than operations on arrays of three.
    """
    curves = gap.detach().cpu().double().mT
    moved = [[_pull_curve(curve) for curve in clip] for clip in curves.tolist()]
    # Without clips or frames, lists do not tell the shape.
    return torch.tensor(moved, dtype=torch.float64).reshape(curves.shape).mT.to(gap)


def _pull_curve(gaps: list[float]) -> list[float]:
    """Return the total pull up to each frame of one coordinate."""
    total, totals = 0.0, []
    for gap in gaps:
        rest = gap - total
        if rest >= TOLERATED_GAP:
            total += min(rest, MAX_PULL)
        elif rest <= -TOLERATED_GAP:
            total += max(rest, -MAX_PULL)
        totals.append(total)
    return totals
