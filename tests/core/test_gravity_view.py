import pytest
import torch

from gvhmr_da_mm.core.gravity_view import gravity_view_rotation, horizontal_direction
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix

DOUBLE = torch.float64
GRAVITY = torch.tensor([0.0, -1.0, 0.0], dtype=DOUBLE)


@pytest.fixture
def cameras():
    return axis_angle_to_matrix(torch.randn(50, 3, dtype=DOUBLE) * 2)


def test_gravity_becomes_y_and_the_view_lies_in_the_yz_plane(cameras):
    R_c2gv = gravity_view_rotation(cameras)
    down = (R_c2gv @ cameras @ GRAVITY[:, None])[..., 0]
    torch.testing.assert_close(down, torch.tensor([[0, 1.0, 0]], dtype=DOUBLE).expand(50, 3))
    view = R_c2gv[..., :, 2]
    assert view[:, 0].abs().max() < 1e-12
    assert (view[:, 2] > 0).all()


def test_it_is_a_rotation(cameras):
    R = gravity_view_rotation(cameras)
    # The published division by norm + 1e-5 leaves it that much short of one.
    torch.testing.assert_close(R @ R.mT, torch.eye(3, dtype=DOUBLE).expand_as(R), atol=1e-3, rtol=0)
    assert (torch.linalg.det(R) > 0.99).all()


def test_turning_the_world_about_gravity_changes_nothing(cameras):
    yaw = torch.zeros(50, 3, dtype=DOUBLE)
    yaw[:, 1] = torch.randn(50, dtype=DOUBLE)
    turned = cameras @ axis_angle_to_matrix(yaw)
    torch.testing.assert_close(gravity_view_rotation(turned), gravity_view_rotation(cameras))


def test_any_gravity_direction(cameras):
    """A z-up world is a y-up world seen after a quarter turn."""
    quarter = axis_angle_to_matrix(torch.tensor([torch.pi / 2, 0, 0], dtype=DOUBLE))
    torch.testing.assert_close(
        gravity_view_rotation(cameras @ quarter.mT, quarter @ GRAVITY),
        gravity_view_rotation(cameras),
    )


@pytest.mark.parametrize('sign', [1.0, -1.0])
def test_looking_along_gravity_falls_back_to_the_cameras_x(sign):
    R_w2c = axis_angle_to_matrix(torch.tensor([sign * torch.pi / 2, 0.0, 0.0], dtype=DOUBLE))
    R = gravity_view_rotation(R_w2c)
    torch.testing.assert_close(R[0], torch.tensor([1.0, 0, 0], dtype=DOUBLE))
    assert R.isfinite().all()


def test_leading_shapes(cameras):
    batched = gravity_view_rotation(cameras.view(5, 10, 3, 3))
    assert torch.equal(batched.view(50, 3, 3), gravity_view_rotation(cameras))


def test_horizontal_directions():
    flat = horizontal_direction(torch.tensor([[3.0, 7.0, 4.0], [0.0, 1.0, 0.0]], dtype=DOUBLE))
    torch.testing.assert_close(flat[0], torch.tensor([0.6, 0, 0.8], dtype=DOUBLE))
    assert flat.isfinite().all()
