"""Intrinsics and trajectories of cameras that film a moving person.

Note:
    Shape letters: F frames. The world has y up; a camera is a rigid ``T_w2c`` (F, 4, 4) with x
    right, y down, z forward.
"""

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.checks import check_choice
from gvhmr_da_mm.core.conventions import FPS
from gvhmr_da_mm.core.extrinsics import invert_rigid, look_at
from gvhmr_da_mm.core.filtering import gaussian_smooth
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, matrix_to_quaternion

from .noise import slow_noise, white_noise

CAMERA_KINDS = ('static', 'pan', 'orbit', 'zoom', 'walk')
PERSON_HEIGHT = 1.75
MAX_STATIC_EXTENT = 2.0
"""Largest distance (m) of a person from the middle that a static camera films; beyond, it turns."""


def intrinsics(width: int, height: int, focal: float, centre_noise=(0.0, 0.0)) -> Tensor:
    """Return K (3, 3) in pixels with the principal point near the image centre."""
    cx, cy = width / 2 + centre_noise[0], height / 2 + centre_noise[1]
    return torch.tensor([[focal, 0, cx], [0, focal, cy], [0, 0, 1]], dtype=torch.float32)


def camera_trajectory(
    kind: str, subject: Tensor, K: Tensor, height: int, rng: np.random.Generator
) -> Tensor:
    """Return the extrinsics of a camera that films a person.

    Args:
        kind (str): One of ``CAMERA_KINDS``: tripod, turning tripod, circle, dolly, or hand-held
            by someone who walks along. A static camera turns if the person goes too far.
        subject (Tensor): Trajectory of the person's middle (F, 3).
        K (Tensor): Intrinsics (3, 3), which determine the distance of the camera.
        height (int): Image height in pixels.
        rng (Generator): Source of all randomness.

    Returns:
        Tensor: ``T_w2c`` (F, 4, 4).
    """
    check_choice(kind, CAMERA_KINDS, 'kind')
    frames = len(subject)
    seconds = torch.arange(frames) / FPS
    smooth = gaussian_smooth(subject, 15.0, dim=0)
    middle = smooth.mean(0, keepdim=True).expand_as(smooth)
    share = rng.uniform(0.4, 0.65)
    distance = float(np.clip(K[1, 1] * PERSON_HEIGHT / (share * height), 2.2, 9.0))
    # A tripod stands beside the trajectory: the person neither walks through it nor far away.
    extent = float((smooth - middle)[:, [0, 2]].norm(dim=-1).max())
    if kind == 'static' and extent > MAX_STATIC_EXTENT:
        kind = 'pan'
    angle = torch.full((frames,), float(rng.uniform(-np.pi, np.pi)))
    if kind in ('static', 'pan', 'zoom') and extent > 1:
        course = smooth[-1] - smooth[0]
        beside = torch.atan2(course[2], -course[0]) + np.pi * rng.integers(2)
        angle = torch.full((frames,), float(beside + rng.uniform(-0.6, 0.6)))
    elevation = torch.full((frames,), float(rng.uniform(1.0, 2.0)))
    centre, target = middle, smooth
    reach = torch.full((frames,), distance + 0.5 * extent)
    roll = torch.full((frames,), float(rng.normal(0, 0.02)))
    if kind == 'static':
        reach, target = reach + extent, middle
    elif kind == 'orbit':
        centre, reach = smooth, torch.full((frames,), distance)
        angle = angle + seconds * rng.choice([-1, 1]) * rng.uniform(0.15, 0.5)
    elif kind == 'zoom':
        reach = reach * torch.linspace(1.15, float(rng.uniform(0.8, 0.95)), frames)
    elif kind == 'walk':
        centre = smooth
        angle = angle + 0.35 * slow_noise(frames, (), 45.0, rng)
        reach = distance * (1 + 0.08 * slow_noise(frames, (), 40.0, rng))
        elevation = 1.5 + 0.02 * torch.sin(2 * np.pi * 1.9 * seconds)
        roll = roll + 0.03 * slow_noise(frames, (), 15.0, rng)
        target = target + 0.12 * slow_noise(frames, (3,), 12.0, rng)
    away = torch.stack((angle.sin(), torch.zeros(frames), angle.cos()), dim=-1)
    position = centre * torch.tensor([1.0, 0.0, 1.0]) + reach[:, None] * away
    position[:, 1] = elevation
    return look_at(position, target, roll)


def estimated_camera_track(T_w2c: Tensor, rng: np.random.Generator) -> Tensor:
    """Simulate visual odometry: first-camera frame, unknown scale, a little drift.

    Args:
        T_w2c (Tensor): True cameras (F, 4, 4).
        rng (Generator): Source of all randomness.

    Returns:
        Tensor: Camera to world (F, 7): tx, ty, tz, qx, qy, qz, qw.
    """
    frames = len(T_w2c)
    track = T_w2c[0] @ invert_rigid(T_w2c)
    growth = torch.linspace(0, 1, frames)[:, None]
    scale = float(rng.uniform(0.3, 1.5))
    drift = white_noise((2, 3), rng)
    position = scale * track[:, :3, 3] + 0.03 * growth * drift[0]
    rotation = axis_angle_to_matrix(0.01 * growth * drift[1]) @ track[:, :3, :3]
    quaternion = matrix_to_quaternion(rotation)
    return torch.cat((position, quaternion[:, 1:], quaternion[:, :1]), dim=-1)
