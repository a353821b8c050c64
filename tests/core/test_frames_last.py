"""Algebra with the frames last against PyTorch's products of small matrices."""

import pytest
import torch

from gvhmr_da_mm.core.conventions import PARENTS_22
from gvhmr_da_mm.core.frames_last import (
    chain_rotations,
    cross_product,
    matrix_product,
    transform,
    transform_back,
    turn,
)
from gvhmr_da_mm.core.kinematics import forward_kinematics
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix

JOINTS, FRAMES = 5, 7


def random(*shape):
    return torch.randn(*shape, JOINTS, FRAMES, dtype=torch.float64)


def frames_first(values):
    return values.movedim((-1, -2), (0, 1))


def test_products():
    first, second, vector = random(3, 3), random(3, 3), random(3)
    matrices, column = frames_first(first), frames_first(vector)[..., None]
    for found, expected in (
        (matrix_product(first, second), matrices @ frames_first(second)),
        (transform(first, vector), (matrices @ column)[..., 0]),
        (transform_back(first, vector), (matrices.mT @ column)[..., 0]),
        (cross_product(first, second), torch.cross(matrices, frames_first(second), dim=2)),
        (cross_product(first, second, dim=1), torch.cross(matrices, frames_first(second), dim=3)),
    ):
        torch.testing.assert_close(frames_first(found), expected)


@pytest.mark.parametrize('angle', [0.0, 1e-6, 1e-3, 9e-3, 0.011, 1.0, 3.0, 6.0])
def test_turns_and_their_derivative(angle):
    vector = torch.nn.functional.normalize(random(3), dim=0) * angle
    turned = turn(vector)
    torch.testing.assert_close(
        frames_first(turned.matrix), axis_angle_to_matrix(frames_first(vector))
    )

    def by_small_turn(small):
        R = axis_angle_to_matrix(frames_first(vector)) @ axis_angle_to_matrix(frames_first(small))
        return (R * weight).sum()

    def by_vector(changed):
        return (axis_angle_to_matrix(frames_first(changed)) * weight).sum()

    weight = torch.randn(FRAMES, JOINTS, 3, 3, dtype=torch.float64)
    torque = torch.autograd.functional.jacobian(by_small_turn, torch.zeros_like(vector))
    expected = torch.autograd.functional.jacobian(by_vector, vector)
    torch.testing.assert_close(turned.gradient(torque), expected, atol=1e-6, rtol=1e-6)


def test_rotations_of_a_tree():
    vectors = torch.randn(3, len(PARENTS_22), FRAMES, dtype=torch.float64)
    R_local = axis_angle_to_matrix(frames_first(vectors))
    rest = torch.randn(len(PARENTS_22), 3, dtype=torch.float64)
    expected, _ = forward_kinematics(R_local, rest, PARENTS_22)
    found = chain_rotations(turn(vectors).matrix, PARENTS_22)
    torch.testing.assert_close(frames_first(found), expected)
