"""One direction of gravity for all frames of a video.

Note:
    Shape letters: ... any leading dimensions, L frames.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .filtering import gaussian_smooth
from .gravity_view import gravity_in_camera, gravity_view_of
from .trajectory import accumulate_rotations, camera_steps

SMOOTHING = 150.0
"""Sigma in frames of the mean; the rotation of a camera that turns drifts over longer times."""
ITERATIONS = 10
MIN_DEVIATION = 0.02
"""Radians; directions nearer to the mean than this have about equal weights."""
MIN_WEIGHT = 1e-6
"""For clips without a frame that counts."""


def steady_gravity(R_gv: Tensor, R_c: Tensor, cam_angvel: Tensor, valid: Tensor) -> Tensor:
    """Correct orientations in the gravity view so that gravity follows the camera's rotation.

    Each frame's prediction tells where gravity is in its camera, with an error of its own. Moved to
    one frame by the known rotation of the camera, all are the same direction; their robust mean
    over about ten seconds replaces them.

    Args:
        R_gv (Tensor): Root orientation in each frame's gravity view (..., L, 3, 3).
        R_c (Tensor): Root orientation in each camera (..., L, 3, 3).
        cam_angvel (Tensor): Camera rotation from each frame to the next in 6D (..., L, 6).
        valid (Tensor): Frames that count (..., L), bool.

    Returns:
        Tensor: ``R_gv`` (..., L, 3, 3) for the same ``R_c``.
    """
    step = camera_steps(cam_angvel)[..., :-1, :, :]
    first = torch.eye(3, dtype=R_c.dtype, device=R_c.device).expand_as(R_c[..., :1, :, :])
    R_to_first = accumulate_rotations(torch.cat((first, step.transpose(-1, -2)), dim=-3))
    gravity = (R_to_first @ gravity_in_camera(R_gv, R_c)[..., None])[..., 0]
    counts = valid[..., None].to(gravity)
    weight = counts
    for _ in range(ITERATIONS):  # Weiszfeld's algorithm for the geometric median.
        mean = _smooth(weight * gravity) / _smooth(weight).clamp(min=MIN_WEIGHT)
        weight = counts / ((gravity - mean).norm(dim=-1, keepdim=True) + MIN_DEVIATION)
    mean = F.normalize(mean, dim=-1)
    return gravity_view_of((R_to_first.transpose(-1, -2) @ mean[..., None])[..., 0]) @ R_c


def _smooth(signal: Tensor) -> Tensor:
    return gaussian_smooth(signal, SMOOTHING, dim=-2, padding='constant')
