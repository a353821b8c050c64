"""World rollout: properties, and the error of the published code."""

import math

import pytest
import roma
import torch

from gvhmr_da_mm.core.camera import camera_angular_velocity
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.gravity_view import gravity_view_rotation
from gvhmr_da_mm.core.rotation import (
    axis_angle_to_matrix,
    relative_angle,
    rotation_about_axis,
)
from gvhmr_da_mm.core.trajectory import integrate_velocity, local_velocity, rollout_world

FRAMES = 75
DEGREES = 180 / math.pi


def panned_scene(pan_degrees: float = 46.0):
    """Return a person turning in a y-up world, seen by a camera that pans smoothly."""
    time = torch.linspace(0, 1, FRAMES, dtype=torch.float64)
    pan = torch.deg2rad(torch.tensor(pan_degrees)) * (1 - torch.cos(math.pi * time)) / 2
    # OpenCV cameras look along +z with y down: a half turn about x, tilted a little.
    upright = rotation_about_axis('x', torch.tensor(math.pi - 0.2, dtype=torch.float64))
    R_w2c = upright @ rotation_about_axis('y', pan)
    R_w = rotation_about_axis('y', 0.7 * time) @ rotation_about_axis('x', 0.2 * time)
    transl_w = torch.stack((time, 0.1 * torch.sin(6 * time), -2 * time), dim=-1)
    R_c = R_w2c @ R_w
    R_gv = gravity_view_rotation(R_w2c) @ R_c
    return R_w2c, R_w, transl_w, R_c, R_gv


def orientation_error(R_world, R_w):
    """Return the angle (deg) per frame after aligning the first frames."""
    align = R_w[:1] @ R_world[:1].transpose(-1, -2)
    return relative_angle(align @ R_world, R_w) * DEGREES


def test_a_perfect_prediction_gives_the_true_world_motion():
    R_w2c, R_w, transl_w, R_c, R_gv = panned_scene()
    angvel = camera_angular_velocity(R_w2c)
    velocity = local_velocity(R_w, transl_w)
    R_world, trajectory = rollout_world(R_gv, R_c, angvel, velocity, smoothing=0)
    assert orientation_error(R_world, R_w).max() < 0.01
    align = R_w[0] @ R_world[0].T
    moved = trajectory @ align.T + transl_w[0]
    assert (moved - transl_w).norm(dim=-1).max() < 1e-3


def test_the_published_index_errs_on_a_pan_and_the_right_one_does_not():
    R_w2c, R_w, transl_w, R_c, R_gv = panned_scene()
    angvel, velocity = camera_angular_velocity(R_w2c), local_velocity(R_w, transl_w)
    smoothed = orientation_error(rollout_world(R_gv, R_c, angvel, velocity)[0], R_w)
    published = orientation_error(
        rollout_world(R_gv, R_c, angvel, velocity, compat='published', smoothing=0)[0], R_w
    )
    exact = orientation_error(rollout_world(R_gv, R_c, angvel, velocity, smoothing=0)[0], R_w)
    assert smoothed.max() < 0.9
    assert exact.max() < 0.3
    assert published.max() > 3 * exact.max()


def test_the_predicted_world_has_y_up():
    R_w2c, R_w, transl_w, R_c, R_gv = panned_scene()
    angvel, velocity = camera_angular_velocity(R_w2c), local_velocity(R_w, transl_w)
    R_world, trajectory = rollout_world(R_gv, R_c, angvel, velocity)
    # The vertical axis seen from the body is the same in both worlds.
    assert torch.allclose(R_world[:, 1], R_w[:, 1], atol=1e-4)
    assert torch.allclose(trajectory[:, 1], transl_w[:, 1] - transl_w[0, 1], atol=1e-3)


def test_a_still_camera_is_exactly_still():
    _, R_w, transl_w, _, _ = panned_scene()
    upright = rotation_about_axis('x', torch.tensor(math.pi, dtype=torch.float64))
    R_w2c = upright.expand(FRAMES, 3, 3)
    R_gv = gravity_view_rotation(R_w2c) @ R_w2c @ R_w
    R_world, _ = rollout_world(
        R_gv, R_w2c @ R_w, camera_angular_velocity(R_w2c), local_velocity(R_w, transl_w)
    )
    turn = rotation_about_axis('z', torch.tensor(math.pi, dtype=torch.float64))
    assert torch.allclose(R_world, turn @ R_gv, atol=1e-9)


def test_velocity_and_trajectory_are_inverse():
    R_w = roma.random_rotmat((2, 9), dtype=torch.float64)
    trajectory = torch.randn(2, 9, 3, dtype=torch.float64)
    velocity = local_velocity(R_w, trajectory)
    assert torch.allclose(integrate_velocity(R_w, velocity, trajectory[:, :1]), trajectory)
    assert torch.equal(
        local_velocity(R_w[:, :1], trajectory[:, :1]), torch.zeros_like(trajectory[:, :1])
    )


@pytest.mark.parametrize('length', [1, 2, 3, 50])
def test_any_length(length):
    R = axis_angle_to_matrix(torch.randn(2, length, 3))
    angvel = camera_angular_velocity(axis_angle_to_matrix(0.01 * torch.randn(2, length, 3)))
    R_w, trajectory = rollout_world(R, R.flip(0), angvel, torch.randn(2, length, 3))
    assert R_w.shape == (2, length, 3, 3) and trajectory.shape == (2, length, 3)
    assert R_w.isfinite().all() and trajectory.isfinite().all()


def test_unknown_compat_is_named():
    eye = torch.eye(3).expand(1, 2, 3, 3)
    with pytest.raises(ConfigError, match='publised'):
        rollout_world(eye, eye, torch.zeros(1, 2, 6), torch.zeros(1, 2, 3), compat='publised')
