"""Properties of the rotation functions."""

import math

import pytest
import roma
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gvhmr_da_mm.core import rotation as rot
from gvhmr_da_mm.core.errors import ConfigError

MIRROR = torch.diag(torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64))


def random_rotations(*shape: int) -> torch.Tensor:
    return roma.random_rotmat(shape, dtype=torch.float64)


@pytest.mark.parametrize('shape', [(), (4,), (2, 3)])
def test_round_trips_keep_any_leading_shape(shape):
    matrix = random_rotations(*shape)
    for there, back in (
        (rot.matrix_to_axis_angle, rot.axis_angle_to_matrix),
        (rot.matrix_to_rot6d, rot.rot6d_to_matrix),
        (rot.matrix_to_quaternion, rot.quaternion_to_matrix),
    ):
        assert torch.allclose(back(there(matrix)), matrix, atol=1e-12)


def test_rot6d_is_the_first_two_rows():
    matrix = random_rotations()
    assert torch.equal(rot.matrix_to_rot6d(matrix), torch.cat((matrix[0], matrix[1])))


def test_mean_of_one_rotation_and_of_a_symmetric_pair():
    matrix = random_rotations(5)
    assert torch.allclose(rot.mean_rotation(matrix[:, None]), matrix)
    angle = torch.tensor([0.3, -0.3], dtype=torch.float64)
    pair = matrix[:, None] @ rot.rotation_about_axis('y', angle)
    assert torch.allclose(rot.mean_rotation(pair), matrix)


def test_mean_follows_the_weights():
    angle = torch.tensor([0.0, 1.0], dtype=torch.float64)
    pair = rot.rotation_about_axis('z', angle)
    mean = rot.mean_rotation(pair, torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert torch.allclose(mean, pair[0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_projection_never_returns_a_reflection(seed):
    torch.manual_seed(seed)
    projected = rot.project_to_so3(torch.randn(3, 3, dtype=torch.float64))
    assert torch.allclose(torch.linalg.det(projected), torch.ones((), dtype=torch.float64))
    # A reflection is projected as well: the published mean would return it unchanged.
    assert torch.linalg.det(rot.project_to_so3(MIRROR)) > 0


@pytest.mark.parametrize('angle', [0.0, 1e-7, 0.5, math.pi - 1e-7, math.pi])
def test_angle_is_exact_at_both_ends(angle):
    turn = rot.rotation_about_axis('x', torch.tensor(angle, dtype=torch.float64))
    base = random_rotations()
    assert rot.rotation_angle(turn).item() == pytest.approx(angle, abs=1e-12)
    assert rot.relative_angle(base, base @ turn).item() == pytest.approx(angle, abs=1e-7)


def test_mirroring_is_a_product_of_matrices():
    matrix = random_rotations()
    assert torch.allclose(rot.mirror_rotation(matrix), MIRROR @ matrix @ MIRROR)


def test_unknown_axis_is_named():
    with pytest.raises(ConfigError, match="'w'"):
        rot.rotation_about_axis('w', torch.zeros(1))


def test_gradients():
    axis_angle = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rot.axis_angle_to_matrix, axis_angle)
    rot6d = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rot.rot6d_to_matrix, rot6d)


def test_mean_of_two_rotations_is_the_chordal_mean():
    first, second = (random_rotations(200) for _ in range(2))
    expected = rot.mean_rotation(torch.stack((first, second), dim=-3))
    torch.testing.assert_close(rot.mean_of_two_rotations(first, second), expected)


def test_mean_of_two_rotations_half_a_turn_apart_is_a_rotation():
    first = random_rotations(20)
    second = first @ rot.rotation_about_axis('x', torch.full((20,), torch.pi).to(first))
    mean = rot.mean_of_two_rotations(first, second)
    torch.testing.assert_close(torch.linalg.det(mean), torch.ones(20).to(first))
    torch.testing.assert_close(
        rot.relative_angle(first, mean), torch.full((20,), torch.pi / 2).to(first)
    )
