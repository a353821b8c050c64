"""One direction of gravity for all frames."""

import pytest
import torch

from gvhmr_da_mm.core.gravity_view import gravity_view_rotation
from gvhmr_da_mm.core.rotation import angle_between, axis_angle_to_matrix, matrix_to_rot6d
from gvhmr_da_mm.core.steady_gravity import steady_gravity

L = 90
ALL = torch.ones(L, dtype=torch.bool)


def video(turn=0.02, seed=0):
    """Return orientations in gravity view and camera, and the steps of a camera that turns."""
    rng = torch.Generator().manual_seed(seed)
    angle = torch.arange(L, dtype=torch.float64)[:, None] * turn
    R_w2c = axis_angle_to_matrix(angle * torch.tensor([0.3, 1.0, 0.2], dtype=torch.float64))
    R_w2c = R_w2c @ axis_angle_to_matrix(torch.tensor([3.0, 0.1, 0.2], dtype=torch.float64))
    R_w = axis_angle_to_matrix(torch.randn(L, 3, generator=rng, dtype=torch.float64))
    step = torch.cat((R_w2c[1:], R_w2c[-1:])) @ R_w2c.mT
    return gravity_view_rotation(R_w2c) @ R_w2c @ R_w, R_w2c @ R_w, matrix_to_rot6d(step), R_w2c


def gravity(R_gv, R_c):
    return (R_c @ R_gv.mT)[..., :, 1]


@pytest.mark.parametrize('turn', [0.0, 0.02])
def test_true_orientations_are_unchanged(turn):
    R_gv, R_c, cam_angvel, _ = video(turn)
    found = steady_gravity(R_gv, R_c, cam_angvel, ALL)
    torch.testing.assert_close(found, R_gv, atol=1e-4, rtol=0)


@pytest.mark.parametrize('turn', [0.0, 0.02])
def test_errors_of_frames_average_out(turn):
    R_gv, R_c, cam_angvel, R_w2c = video(turn)
    rng = torch.Generator().manual_seed(1)
    error = 0.1 * torch.randn(L, 3, generator=rng, dtype=torch.float64)
    error[40:48] = torch.tensor([1.5, 0, 0], dtype=torch.float64)  # A few frames are upside down.
    noisy = axis_angle_to_matrix(error) @ R_gv
    true = -R_w2c[..., :, 1]
    found = steady_gravity(noisy, R_c, cam_angvel, ALL)
    before = angle_between(gravity(noisy, R_c), true)
    after = angle_between(gravity(found, R_c), true)
    assert after.max() < 0.05 < 0.1 < before.mean()


def test_clips_of_a_batch_are_independent_and_padding_has_no_effect():
    first, second = video(0.02, 0)[:3], video(0.02, 1)[:3]
    noise = axis_angle_to_matrix(0.1 * torch.randn(L, 3, dtype=torch.float64))
    first = (noise @ first[0], *first[1:])
    valid = torch.stack((ALL, torch.arange(L) < 50))
    both = steady_gravity(*(torch.stack(part) for part in zip(first, second)), valid)
    torch.testing.assert_close(both[0], steady_gravity(*first, ALL))
    short = steady_gravity(*(part[:50] for part in second), ALL[:50])
    torch.testing.assert_close(both[1, :50], short)
