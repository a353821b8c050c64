"""Fit of a body model to the joints of another body in motion."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..core.conventions import PARENTS_22
from ..core.kinematics import bone_vectors, forward_kinematics
from ..core.layout import NUM_BETAS, NUM_JOINTS
from ..core.rotation import axis_angle_to_matrix, matrix_to_axis_angle

POWER = 4
"""Of the joint errors in the objective: above 2, since the largest should be small."""
STEPS = 30
FULL_STEPS = 3
"""The first steps are those of Gauss-Newton; with weights that change they are POWER - 1 times
shorter, without which they would overshoot."""
MAX_FRAMES = 300
"""A longer motion is thinned evenly: its poses repeat themselves."""
BETA_RIDGE = 1e-9
"""Weight of a squared beta against square metres: keeps shape that moves no joint at zero."""
TURN_RIDGE = 3e-5
"""Weight of square radians against square metres: a degree costs as much as 0.1 mm."""
SMALLEST_WEIGHT = 1e-6

_PARENT = [max(parent, 0) for parent in PARENTS_22]


@dataclass(frozen=True)
class SkeletonFit:
    """A body in the shape of another one, and the constant difference of their poses.

    Note:
        The other body and this one have the 22 body joints. All values are float64.

    Attributes:
        betas (Tensor): Shape (10,).
        root (Tensor): Root joint of this shape at rest (3,), m.
        R_rest (Tensor): Rotations that align each bone at rest with the other body's
            (22, 3, 3).
        offset (Tensor): From the other's root joint to this one's, in the frame of the root
            (3,), m.
    """

    betas: Tensor
    root: Tensor
    R_rest: Tensor
    offset: Tensor

    def convert(self, params: dict[str, Tensor], root: Tensor) -> dict[str, Tensor]:
        """Return a motion of the other body as one of this body.

        Note:
            L: frames.

        Args:
            params (dict): ``body_pose`` (L, 63 or more), of which joints after the first 22 are
                left out, ``global_orient`` and ``transl`` (L, 3).
            root (Tensor): The other's root joint at rest, (3,) or (L, 3), m.

        Returns:
            dict: ``body_pose`` (L, 63), ``betas`` (L, 10), ``global_orient`` and ``transl`` (L, 3)
            in the same frame, float32.
        """
        R_root = axis_angle_to_matrix(params['global_orient'].double())
        R_local = torch.cat((R_root[:, None], _body_rotations(params['body_pose'])), dim=1)
        R_parent = torch.cat((torch.eye(3).to(R_local)[None], self.R_rest[_PARENT[1:]]))
        turned = matrix_to_axis_angle(R_parent.mT @ R_local @ self.R_rest)
        moved = root.double() - self.root + R_root @ self.offset
        values = dict(
            body_pose=turned[:, 1:].flatten(1),
            betas=self.betas.expand(len(turned), -1),
            global_orient=turned[:, 0],
            transl=params['transl'].double() + moved,
        )
        return {name: value.float() for name, value in values.items()}


@torch.no_grad()
def fit_skeleton(skeleton: Tensor, body_pose: Tensor, body: nn.Module) -> SkeletonFit:
    """Fit the shape of a body, and rotations of its joints at rest, to a moving skeleton.

    The fourth powers of the distances of the joints are minimised by Gauss-Newton steps. The
    rotations are the same in all frames, so that the motion becomes no less smooth. Bones get the
    directions of the skeleton's; what remains are lengths, and angles between bones of one
    joint, that no shape of the body has.

    Args:
        skeleton (Tensor): Rest joints to match (J, 3), m, J >= 22.
        body_pose (Tensor): Poses of the motion, axis-angle (L, 63 or more), rad.
        body (nn.Module): Body with ``skeleton(betas)``; it is affine in the betas.
    """
    basis = body.skeleton(torch.cat((torch.zeros(1, NUM_BETAS), torch.eye(NUM_BETAS))))
    bones = _bones(basis)
    mean, slope = bones[0], (bones[1:] - bones[0]).permute(1, 2, 0)
    target = _bones(skeleton)
    to_joints = _bones_to_joints(_body_rotations(body_pose))

    betas, offset = mean.new_zeros(NUM_BETAS), mean.new_zeros(3)
    R_rest = torch.eye(3).to(mean).repeat(NUM_JOINTS, 1, 1)
    ridge = torch.full((NUM_BETAS + 3 * NUM_JOINTS + 3,), BETA_RIDGE).to(mean)
    ridge[NUM_BETAS:-3] = TURN_RIDGE
    for step in range(STEPS):
        bones = mean + slope @ betas
        errors = (R_rest[_PARENT] @ bones[..., None])[..., 0] - target
        errors[0] = offset
        values = torch.cat((betas, matrix_to_axis_angle(R_rest).flatten(), offset))
        change = _gauss_newton(to_joints, errors, _derivatives(R_rest, bones, slope), ridge, values)
        if step >= FULL_STEPS:
            change = change / (POWER - 1)
        betas, offset = betas + change[:NUM_BETAS], offset + change[-3:]
        R_rest = R_rest @ axis_angle_to_matrix(change[NUM_BETAS:-3].view(-1, 3))
    root = body.skeleton(betas.to(basis))[0].double()
    return SkeletonFit(betas, root, R_rest, offset)


def _bones(skeleton: Tensor) -> Tensor:
    return bone_vectors(skeleton[..., :NUM_JOINTS, :].double(), PARENTS_22)


def _body_rotations(body_pose: Tensor) -> Tensor:
    pose = body_pose[:, : 3 * (NUM_JOINTS - 1)].double()
    return axis_angle_to_matrix(pose.unflatten(1, (-1, 3)))


def _bones_to_joints(R_body: Tensor) -> Tensor:
    """Return the matrices (L, 22, 3, 66) from errors of bones at rest to errors of joints.

    The error of a joint is the sum of those of the bones before it, each turned by its joint; the
    first is that of the root. The rotation of the root changes no distance and is left out.
    """
    frames = torch.linspace(0, len(R_body) - 1, min(len(R_body), MAX_FRAMES)).round().long()
    R_local = torch.cat((torch.eye(3).to(R_body).expand(len(frames), 1, 3, 3), R_body[frames]), 1)
    R_global, _ = forward_kinematics(R_local, R_local.new_zeros(NUM_JOINTS, 3), PARENTS_22)
    matrices = R_local.new_zeros(len(frames), NUM_JOINTS, 3, NUM_JOINTS, 3)
    matrices[:, 0, :, 0] = R_global[:, 0]
    for joint, parent in enumerate(PARENTS_22[1:], start=1):
        matrices[:, joint] = matrices[:, parent]
        matrices[:, joint, :, joint] = R_global[:, parent]
    return matrices.flatten(-2)


def _derivatives(R_rest: Tensor, bones: Tensor, slope: Tensor) -> Tensor:
    """Return those of the bones' errors (66, N) by betas, rotations (on the right) and offset."""
    unit = torch.eye(3).to(bones)
    by_turn = R_rest[_PARENT] @ torch.cross(*torch.broadcast_tensors(unit, bones[:, None]), -1).mT
    derivatives = bones.new_zeros(NUM_JOINTS, 3, NUM_BETAS + 3 * NUM_JOINTS + 3)
    derivatives[1:, :, :NUM_BETAS] = (R_rest[_PARENT] @ slope)[1:]
    for joint, parent in enumerate(PARENTS_22[1:], start=1):
        start = NUM_BETAS + 3 * parent
        derivatives[joint, :, start : start + 3] = by_turn[joint]
    derivatives[0, :, -3:] = unit
    return derivatives.flatten(0, 1)


def _gauss_newton(
    to_joints: Tensor, errors: Tensor, derivatives: Tensor, ridge: Tensor, values: Tensor
) -> Tensor:
    """Return the step (N,) of the values (N,) with joints weighted by their errors."""
    squared = (to_joints @ errors.flatten()).square().sum(dim=-1)
    largest = squared.max().clamp_min(torch.finfo(squared.dtype).tiny)
    weights = (squared / largest).clamp_min(SMALLEST_WEIGHT) ** (POWER / 2 - 1)
    weights = (weights / weights.sum()).sqrt()[..., None, None]
    weighted = (to_joints * weights).flatten(0, 2)
    normal = derivatives.T @ (weighted.T @ weighted)
    left = normal @ derivatives + torch.diag(ridge)
    return -torch.linalg.solve(left, normal @ errors.flatten() + ridge * values)
