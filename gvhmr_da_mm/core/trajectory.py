"""World trajectories from per-frame gravity-view poses and root velocities (GVHMR, Sec. 3.2).

Note:
    Shape letters: ... any leading dimensions, L frames. The predicted world is the gravity-view
    frame of the first image turned by pi about z, so that y points up.
"""

from typing import Optional

import torch
from torch import Tensor

from .checks import check_choice
from .constants import constant
from .conventions import COMPAT_MODES
from .filtering import gaussian_smooth
from .gravity_view import horizontal_direction
from .rotation import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    rot6d_to_matrix,
    rotation_about_axis,
)
from .small_matrices import small_matmul, small_matvec

YAW_SMOOTHING = 3.0
"""Sigma in frames of the Gaussian that smooths the yaw of the view between frames."""
STILL_CAMERA_ANGLE = 1e-5
"""Rotation (rad) between frames below which the camera counts as still."""
MIN_SINE = 1e-12
"""Sine below which two directions count as parallel: the rotation axis is undefined there."""


def local_velocity(R_w: Tensor, transl_w: Tensor) -> Tensor:
    """Return the root's displacement to the next frame, in the root's own frame.

    Args:
        R_w (Tensor): World root orientation (..., L, 3, 3).
        transl_w (Tensor): World root translation (..., L, 3).

    Returns:
        Tensor: Metres per frame (..., L, 3); the last displacement is repeated, and a single
        frame does not move.
    """
    if transl_w.shape[-2] == 1:
        return torch.zeros_like(transl_w)
    step = transl_w[..., 1:, :] - transl_w[..., :-1, :]
    step = torch.cat((step, step[..., -1:, :]), dim=-2)
    return small_matvec(R_w.transpose(-1, -2), step)


def integrate_velocity(R_w: Tensor, velocity: Tensor, start: Optional[Tensor] = None) -> Tensor:
    """Integrate root-frame displacements to a world trajectory; inverts :func:`local_velocity`.

    Args:
        R_w (Tensor): World root orientation (..., L, 3, 3).
        velocity (Tensor): Metres per frame in the root's own frame (..., L, 3).
        start (Tensor, optional): World position (..., 1, 3) of the first frame. Defaults to zero.

    Returns:
        Tensor: World translation (..., L, 3).
    """
    step = small_matvec(R_w, velocity)
    first = torch.zeros_like(step[..., :1, :]) if start is None else start
    return torch.cat((first, step[..., :-1, :]), dim=-2).cumsum(dim=-2)


def camera_steps(cam_angvel: Tensor) -> Tensor:
    """Return the rotation (..., L, 3, 3) of the camera from each frame to the next.

    Args:
        cam_angvel (Tensor): The same in 6D (..., L, 6). A camera that turns by less than
            ``STILL_CAMERA_ANGLE`` counts as still.
    """
    R_camera_step = rot6d_to_matrix(cam_angvel)
    angle = matrix_to_axis_angle(R_camera_step).norm(dim=-1)[..., None, None]
    identity = torch.eye(3, dtype=cam_angvel.dtype, device=cam_angvel.device)
    return torch.where(angle < STILL_CAMERA_ANGLE, identity, R_camera_step)


def _view_yaw(R_c2gv: Tensor, R_camera_step: Tensor) -> Tensor:
    """Return rotation vectors (..., L, 3) from each frame's view to the next one's.

    Views are optical axes in the frame's GV coordinates, projected on the ground.
    """
    here = horizontal_direction(R_c2gv[..., :, 2])
    # The step maps this camera to the next, so its third row is the next optical axis here.
    there = horizontal_direction(small_matvec(R_c2gv, R_camera_step[..., 2, :]))
    axis = torch.cross(here, there, dim=-1)
    sine = axis.norm(dim=-1, keepdim=True)
    cosine = (here * there).sum(dim=-1, keepdim=True)
    return torch.where(
        sine > MIN_SINE, axis / sine.clamp(min=MIN_SINE) * torch.atan2(sine, cosine), axis
    )


def accumulate_rotations(steps: Tensor) -> Tensor:
    """Multiply rotations (..., L, 3, 3) from the first to each frame, in O(log L) products."""
    result, shift = steps, 1
    while shift < steps.shape[-3]:
        result = torch.cat(
            (
                result[..., :shift, :, :],
                small_matmul(result[..., :-shift, :, :], result[..., shift:, :, :]),
            ),
            dim=-3,
        )
        shift *= 2
    return result


def rollout_world(
    R_gv: Tensor,
    R_c: Tensor,
    cam_angvel: Tensor,
    velocity: Tensor,
    compat: str = 'correct',
    smoothing: float = YAW_SMOOTHING,
) -> tuple[Tensor, Tensor]:
    """Assemble a world trajectory from per-frame predictions.

    Args:
        R_gv (Tensor): Root orientation in each frame's gravity view (..., L, 3, 3).
        R_c (Tensor): Root orientation in each camera (..., L, 3, 3).
        cam_angvel (Tensor): Camera rotation from each frame to the next in 6D (..., L, 6).
        velocity (Tensor): Root displacement in the root's frame (..., L, 3), metres per frame.
        compat (str): ``'correct'`` turns frame t by the steps before it; ``'published'`` takes
            step t instead of step t-1, as the published code does. Defaults to ``'correct'``.
        smoothing (float): Gaussian sigma in frames for the yaw between frames, 0 for none.
            Defaults to 3.

    Returns:
        tuple[Tensor, Tensor]: World orientation (..., L, 3, 3) and translation (..., L, 3) in
        metres; y is up and the trajectory starts at zero.

    Raises:
        ConfigError: If ``compat`` is not one of the two modes.
    """
    check_choice(compat, COMPAT_MODES, 'compat')
    R_c2gv = R_gv @ R_c.transpose(-1, -2)
    yaw = _view_yaw(R_c2gv, camera_steps(cam_angvel))
    if smoothing:
        yaw = gaussian_smooth(yaw, smoothing, dim=-2)
    step = axis_angle_to_matrix(yaw)
    # Entry t of `step` leads from t to t + 1, so frame t needs entries 0 to t - 1.
    step = step[..., 1:, :, :] if compat == 'published' else step[..., :-1, :, :]
    first = torch.eye(3, dtype=R_gv.dtype, device=R_gv.device).expand_as(R_gv[..., :1, :, :])
    R_w = accumulate_rotations(torch.cat((first, step), dim=-3)) @ R_gv

    transl_w = integrate_velocity(R_w, velocity)
    half_turn = rotation_about_axis('z', constant(torch.pi, R_gv))
    return half_turn @ R_w, transl_w @ half_turn.transpose(-1, -2)
