"""Points of a regressed body in a loop: fast, with the derivative written out."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from ..core.frames_last import (
    chain_rotations,
    cross_product,
    transform,
    transform_back,
)
from ..core.kinematics import bone_vectors, tree_plan
from .regressed_body import RegressedBody


class PosedPoints(NamedTuple):
    """A pose of a :class:`PointChain`; K points, Q pairs of a point and a bone, P joints, N frames.

    Attributes:
        points (Tensor): Points (3, K, N), m.
        R_local (Tensor): Rotations relative to the parent (3, 3, P, N).
        R_global (Tensor): Global rotations (3, 3, P, N).
        joints (Tensor): Joints (3, P, N), m.
        R_pair (Tensor): Global rotations of the pairs' bones (3, 3, Q, N).
        pairs (Tensor): Parts of the points (3, Q, N), m.
    """

    points: Tensor
    R_local: Tensor
    R_global: Tensor
    joints: Tensor
    R_pair: Tensor
    pairs: Tensor


class PointChain:
    """The points of a :class:`RegressedBody` of known shape, posed again and again.

    A point is a sum of parts, one for each bone that moves it: ``R_global arm + weight joint``. The
    arm is linear in the rotations relative to the parent, by the pose blend shapes. Per frame this
    is the work of ``pose_vertices`` less what depends on the shape alone, and no graph is needed
    for derivatives: a force on a point turns each joint above it by its moment about the joint.

    Note:
        Frames are the last dimension, see :mod:`~gvhmr_da_mm.core.frames_last`.

    Args:
        body (RegressedBody): The body.
        betas (Tensor): Shape of each frame (N, num_betas).
    """

    def __init__(self, body: RegressedBody, betas: Tensor) -> None:
        self.parents = body.parents
        skeleton, arms, dirs, joint = body.arms(betas)
        self.bones = bone_vectors(skeleton, self.parents).permute(2, 1, 0).contiguous()
        # A column for each number of a rotation, in the order of rotations with frames last.
        dirs = dirs.unflatten(0, (-1, 3, 3)).permute(4, 3, 1, 2, 0)
        at_rest = dirs.diagonal(dim1=2, dim2=3).sum((-1, -2))
        self.rest_arms = arms.permute(2, 1, 0) - at_rest[..., None]
        self.arm_dirs = F.pad(dirs, (1, 0)).flatten(2).flatten(0, 1)
        self.pair_joint = joint
        self.gather = body.gather
        self.pair_weight = body.pair_weight
        plan = tree_plan(tuple(self.parents), skeleton.device)
        self.parent = plan.parents
        self.above = plan.above.to(skeleton)
        self.moved_pairs = self.above[joint].T.contiguous()
        self.moved_points = (self.moved_pairs * body.pair_weight[:, 0]) @ body.gather.T

    def pose(self, R_local: Tensor) -> PosedPoints:
        """Pose the points; the root joint is at its rest position.

        Args:
            R_local (Tensor): Rotations relative to the parent, root first, (3, 3, P, N).
        """
        R_global = chain_rotations(R_local, self.parents)
        offsets = transform(R_global.index_select(2, self.parent), self.bones)
        offsets[:, 0] = self.bones[:, 0]
        joints = self.above @ offsets
        arms = (self.arm_dirs @ R_local.flatten(0, 2)).view_as(self.rest_arms).add_(self.rest_arms)
        R_pair = R_global.index_select(2, self.pair_joint)
        pairs = transform(R_pair, arms)
        pairs.addcmul_(self.pair_weight, joints.index_select(1, self.pair_joint))
        return PosedPoints(self.gather @ pairs, R_local, R_global, joints, R_pair, pairs)

    def torques(self, posed: PosedPoints, forces: Tensor, on_rows: Tensor) -> Tensor:
        """Return the derivative by turns of the joints.

        Args:
            posed (PosedPoints): A pose.
            forces (Tensor): Derivative by the points (3, K, N).
            on_rows (Tensor): Derivative by the first rows of ``R_local`` for other reasons than the
                points (rows, 3, P, N).

        Returns:
            Tensor: Derivative by a small turn of each joint in its own frame, ``R_local
            exp(turn)``, (3, P, N).
        """
        on_pairs = self.gather.T @ forces
        torques = self.moved_pairs @ cross_product(posed.pairs, on_pairs)
        torques -= cross_product(posed.joints, self.moved_points @ forces)
        torques = transform_back(posed.R_global, torques)
        on_arms = transform_back(posed.R_pair, on_pairs).flatten(0, 1)
        on_local = (self.arm_dirs.T @ on_arms).view_as(posed.R_local)
        on_local[: len(on_rows)] += on_rows
        return torques.add_(cross_product(on_local, posed.R_local, dim=1).sum(0))
