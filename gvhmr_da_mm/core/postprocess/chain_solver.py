"""Inverse kinematics of one limb by cyclic coordinate descent.

Note:
    ... is any leading shape, N the joints of a chain. Lists have one entry per joint of the chain,
    from the fixed joint (0) to the tip (N - 1). ``bones[k]`` leads from joint k - 1 to k.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..rotation import axis_angle_to_matrix, matrix_to_quaternion, quaternion_to_matrix

MIN_SINE = 1e-12


class SolverRules(NamedTuple):
    """Operations on rotations that the two compatibility modes define differently."""

    compose: Callable[[Tensor, Tensor], Tensor]
    invert: Callable[[Tensor], Tensor]
    turn: Callable[[Tensor, Sequence[Tensor]], Tensor]
    """Applies the mean of rotation vectors (..., 3) to a rotation (..., 3, 3)."""


def arc(start: Tensor, end: Tensor) -> Tensor:
    """Return the shortest rotation vector (..., 3) that points ``start`` (..., 3) along ``end``.

    It is zero where one of the two is zero, and any half turn where they are opposite.
    """
    start, end = F.normalize(start, dim=-1), F.normalize(end, dim=-1)
    axis = torch.cross(start, end, dim=-1)
    sine = axis.norm(dim=-1, keepdim=True)
    cosine = (start * end).sum(dim=-1, keepdim=True)
    other = F.one_hot(start.abs().argmin(dim=-1), 3).to(start)
    perpendicular = F.normalize(torch.cross(start, other, dim=-1), dim=-1)
    unit = torch.where(sine > MIN_SINE, axis / sine.clamp(min=MIN_SINE), perpendicular)
    return unit * torch.atan2(sine, cosine)


def _mean_axes(R: Tensor, arcs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the means of the x and of the y axes (..., 3) of the turned rotations."""
    turned = sum(axis_angle_to_matrix(vector) for vector in arcs) @ R
    return F.normalize(turned[..., 0], dim=-1), F.normalize(turned[..., 1], dim=-1)


def _turn(R: Tensor, arcs: Sequence[Tensor]) -> Tensor:
    """Return the rotation nearest to the mean axes, which need not be perpendicular.

    It moves both axes by the same angle in their plane until they are perpendicular.
    """
    x, y = _mean_axes(R, arcs)
    middle, across = F.normalize(x + y, dim=-1), F.normalize(x - y, dim=-1)
    x, y = (middle + across) * 0.5**0.5, (middle - across) * 0.5**0.5
    return torch.stack((x, y, torch.cross(x, y, dim=-1)), dim=-1)


def _turn_unrepaired(matrix: Tensor, arcs: Sequence[Tensor]) -> Tensor:
    x, y = _mean_axes(quaternion_to_matrix(matrix_to_quaternion(matrix)), arcs)
    return torch.stack((x, y, torch.cross(x, y, dim=-1)), dim=-1)


def _normalize_columns(matrix: Tensor) -> Tensor:
    return F.normalize(matrix, dim=-2)


RULES = {
    'correct': SolverRules(torch.matmul, lambda R: R.mT, _turn),
    'published': SolverRules(
        lambda first, second: _normalize_columns(first @ second),
        lambda matrix: _normalize_columns(torch.linalg.inv(matrix)),
        _turn_unrepaired,
    ),
}
"""``published`` goes on with matrices that are not rotations, as the published code does."""


def solve_chain(
    R_first: Tensor,
    first: Tensor,
    R_local: Sequence[Tensor],
    bones: Sequence[Tensor],
    targets: Mapping[int, Tensor],
    rules: SolverRules,
    sweeps: int = 2,
) -> list[Tensor]:
    """Rotate the joints between the first and the tip to bring some of them to their targets.

    A sweep goes from the first joint to the tip. Joint k of N turns by (k + 1) / N of the arc that
    points a joint at its target, averaged over the targets further down the chain.

    Args:
        R_first (Tensor): Global rotation of joint 0, (..., 3, 3), fixed.
        first (Tensor): Position of joint 0, (..., 3), metres, fixed.
        R_local (Sequence[Tensor]): Rotation of each joint relative to its parent, (..., 3, 3). That
            of joint 0 is not used, that of the tip is fixed.
        bones (Sequence[Tensor]): Rest position of each joint relative to its parent, (..., 3),
            metres. That of joint 0 is not used.
        targets (Mapping[int, Tensor]): Target positions (..., 3) by joint of the chain, metres.
        rules (SolverRules): An entry of ``RULES``.
        sweeps (int): Number of sweeps. Defaults to 2.

    Returns:
        list[Tensor]: New local rotations (..., 3, 3), those of joint 0 and the tip unchanged.
    """
    R_local = list(R_local)
    count = len(R_local)
    R_global, positions = [R_first] * count, [first] * count

    def pose(start: int) -> None:
        for k in range(start, count):
            step = (R_global[k - 1] @ bones[k][..., None])[..., 0]
            positions[k] = positions[k - 1] + step
            R_global[k] = rules.compose(R_global[k - 1], R_local[k])

    pose(1)
    for _ in range(sweeps):
        for k in range(1, count - 1):
            share = (k + 1) / count
            arcs = [
                share * arc(positions[tip] - positions[k], target - positions[k])
                for tip, target in targets.items()
                if tip > k
            ]
            turned = rules.turn(R_global[k], arcs)
            R_local[k] = rules.compose(rules.invert(R_global[k - 1]), turned)
            pose(k)
    return R_local
