"""Arcs and turns of the chain solver."""

import pytest
import torch

from gvhmr_da_mm.core.postprocess.chain_solver import RULES, arc, solve_chain
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, rotation_angle

EYE = torch.eye(3, dtype=torch.float64)


def test_an_arc_takes_one_direction_to_the_other():
    start, end = torch.randn(2, 50, 3, dtype=torch.float64)
    turned = (axis_angle_to_matrix(arc(start, end)) @ start[..., None])[..., 0]
    torch.testing.assert_close(
        turned / turned.norm(dim=-1, keepdim=True), end / end.norm(dim=-1, keepdim=True)
    )
    # The shortest one is about the normal of both.
    assert (arc(start, end) * start).sum(dim=-1).abs().max() < 1e-9


@pytest.mark.parametrize('axis', range(3))
def test_opposite_directions_are_half_a_turn_apart(axis):
    vector = arc(EYE[axis], -EYE[axis])
    assert vector.norm() == pytest.approx(torch.pi)
    torch.testing.assert_close(axis_angle_to_matrix(vector) @ EYE[axis], -EYE[axis])


def test_no_direction_is_no_turn():
    zero = torch.zeros(3, dtype=torch.float64)
    assert not arc(zero, EYE[0]).any() and not arc(EYE[0], zero).any()
    assert not arc(EYE[0], EYE[0]).any()


def test_one_target_is_followed_alike_in_both_modes():
    R = axis_angle_to_matrix(torch.randn(20, 3, dtype=torch.float64))
    vector = torch.randn(20, 3, dtype=torch.float64)
    for rules in RULES.values():
        torch.testing.assert_close(rules.turn(R, [vector]), axis_angle_to_matrix(vector) @ R)


def test_two_targets_give_a_rotation_between_them():
    R = axis_angle_to_matrix(torch.randn(50, 3, dtype=torch.float64))
    one, other = 0.5 * torch.randn(2, 50, 3, dtype=torch.float64)
    turned = RULES['correct'].turn(R, [one, other])
    torch.testing.assert_close(turned @ turned.mT, EYE.expand(50, 3, 3))
    apart = rotation_angle(axis_angle_to_matrix(one) @ axis_angle_to_matrix(-other))
    for vector in (one, other):
        assert (rotation_angle(axis_angle_to_matrix(-vector) @ turned @ R.mT) < apart + 0.1).all()
    # The published mean is no rotation here, which is what the repair is for.
    published = RULES['published'].turn(R, [one, other])
    assert (published @ published.mT - EYE).abs().max() > 1e-3


def test_a_straight_chain_reaches_sideways():
    count = 4
    bones = [torch.tensor([0.0, 1.0, 0.0]).double()] * count
    target = torch.tensor([1.0, 1.8, 0.0]).double()
    bent = solve_chain(
        EYE, torch.zeros(3).double(), [EYE] * count, bones, {3: target}, RULES['correct'], sweeps=60
    )
    tip, R = torch.zeros(3).double(), EYE
    for rotation, bone in zip([*bent[1:], EYE], bones[1:]):
        tip, R = tip + R @ bone, R @ rotation
    torch.testing.assert_close(tip, target, atol=1e-3, rtol=0)
