"""Forward kinematics on a joint tree.

Note:
    ``...`` is any leading shape, J the joints. Rotations act on column vectors. A parent of -1
    marks a root. Joints may come in any order.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from .checks import check_shape
from .errors import ConfigError
from .small_matrices import small_matmul, small_matvec


class TreeLevel(NamedTuple):
    """Joints of one depth, and positions of their parents in the level above."""

    joints: Tensor
    parents: Tensor


class TreePlan(NamedTuple):
    """Order in which the joints of a tree are computed."""

    levels: tuple[TreeLevel, ...]
    order: Tensor
    """Position of each joint in the concatenated levels."""
    parents: Tensor
    """Parent of each joint; a root is its own parent."""
    is_root: Tensor
    above: Tensor
    """Whether a joint (column) is another one (row) or above it (J, J), bool."""


def _depths(parents: tuple[int, ...]) -> list[int]:
    depths = []
    for joint in range(len(parents)):
        depth, ancestor = 0, parents[joint]
        while ancestor >= 0 and depth <= len(parents):
            if ancestor >= len(parents):
                raise ConfigError(
                    f'`parents` should be joints below {len(parents)} or -1, got {ancestor}'
                )
            depth, ancestor = depth + 1, parents[ancestor]
        if depth > len(parents):
            raise ConfigError(
                f'`parents` should be a tree, got a cycle through joint {joint}: {parents}'
            )
        depths.append(depth)
    return depths


@lru_cache(maxsize=64)
def tree_plan(parents: tuple[int, ...], device: torch.device) -> TreePlan:
    """Sort the joints by depth, so that all joints of a level are computed at once."""
    depths = _depths(parents)
    levels = [[j for j, d in enumerate(depths) if d == depth] for depth in range(max(depths) + 1)]
    # The plan is cached: index tensors made in inference mode could not be saved for a later
    # backward pass.
    with torch.inference_mode(False):

        def index(values: Sequence[int]) -> Tensor:
            return torch.tensor(values, dtype=torch.long, device=device)

        plans = [TreeLevel(index(levels[0]), index([]))]
        for above, level in zip(levels, levels[1:]):
            plans.append(TreeLevel(index(level), index([above.index(parents[j]) for j in level])))
        flat = [joint for level in levels for joint in level]
        order = index([flat.index(joint) for joint in range(len(parents))])
        own_root = index([joint if parent < 0 else parent for joint, parent in enumerate(parents)])
        is_root = index([parent < 0 for parent in parents]).bool()
        above = torch.eye(len(parents), dtype=torch.bool, device=device)
        for _ in levels:
            above = above | above[own_root]
    return TreePlan(tuple(plans), order, own_root, is_root, above)


def forward_kinematics(
    R_local: Tensor, joints_rest: Tensor, parents: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Pose a skeleton (GVHMR, Sec. 3.1; SMPL, Eq. 4).

    Args:
        R_local (Tensor): Rotation of each joint relative to its parent, (..., J, 3, 3).
        joints_rest (Tensor): Joint positions at rest in m, (..., J, 3). Leading shapes broadcast.
        parents (Sequence[int]): Parent of each joint, -1 for a root.

    Returns:
        tuple[Tensor, Tensor]: Global rotations (..., J, 3, 3) and positions (..., J, 3) in m. A
        root stays at its rest position.

    Raises:
        ShapeError: If the number of joints differs.
        ConfigError: If ``parents`` is not a tree.
    """
    rotations, positions = zip(*_pose_levels(R_local, joints_rest, parents))
    order = tree_plan(tuple(parents), R_local.device).order
    R_global = torch.cat(rotations, -3).index_select(-3, order)
    return R_global, torch.cat(positions, -2).index_select(-2, order)


def posed_joints(R_local: Tensor, joints_rest: Tensor, parents: Sequence[int]) -> Tensor:
    """Return the positions (..., J, 3) of :func:`forward_kinematics` alone, with less memory.

    Arguments and errors are the same.
    """
    positions = [position for _, position in _pose_levels(R_local, joints_rest, parents)]
    order = tree_plan(tuple(parents), R_local.device).order
    return torch.cat(positions, -2).index_select(-2, order)


def _pose_levels(
    R_local: Tensor, joints_rest: Tensor, parents: Sequence[int]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield global rotations and positions of the joints of each level of the tree."""
    check_shape(R_local, '* J 3 3', 'R_local', J=len(parents))
    check_shape(joints_rest, '* J 3', 'joints_rest', J=len(parents))
    plan = tree_plan(tuple(parents), R_local.device)
    bones = bone_vectors(joints_rest, parents)
    leading = torch.broadcast_shapes(R_local.shape[:-3], joints_rest.shape[:-2])
    R_local = R_local.expand(*leading, -1, -1, -1)
    bones = bones.expand(*leading, -1, -1)

    roots = plan.levels[0].joints
    rotation, position = R_local.index_select(-3, roots), bones.index_select(-2, roots)
    yield rotation, position
    for joints, above in plan.levels[1:]:
        R_parent = rotation.index_select(-3, above)
        moved = small_matvec(R_parent, bones.index_select(-2, joints))
        position = position.index_select(-2, above) + moved
        rotation = small_matmul(R_parent, R_local.index_select(-3, joints))
        yield rotation, position


def bone_vectors(joints_rest: Tensor, parents: Sequence[int]) -> Tensor:
    """Return rest positions (..., J, 3) relative to the parents'; a root keeps its own."""
    check_shape(joints_rest, '* J 3', 'joints_rest', J=len(parents))
    plan = tree_plan(tuple(parents), joints_rest.device)
    origin = joints_rest.index_select(-2, plan.parents)
    return joints_rest - origin.masked_fill(plan.is_root.unsqueeze(-1), 0.0)
