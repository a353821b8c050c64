"""Inverse kinematics of legs and arms that keeps static joints in place.

Note:
    Shape letters: B clips, L frames, S static joints.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..checks import check_choice, check_shape
from ..conventions import COMPAT_MODES, PARENTS_22, STATIC_JOINTS
from ..errors import ShapeError
from ..kinematics import bone_vectors, forward_kinematics
from ..layout import NUM_BODY_JOINTS, NUM_JOINTS
from ..rotation import axis_angle_to_matrix, matrix_to_axis_angle, matrix_to_quaternion
from .chain_solver import RULES, solve_chain


class Limb(NamedTuple):
    """Joints of a limb from the fixed one to the tip, and those that have a target."""

    joints: tuple[int, ...]
    targets: tuple[int, ...]


LIMBS = (
    Limb((0, 1, 4, 7, 10), (7, 10)),
    Limb((0, 2, 5, 8, 11), (8, 11)),
    Limb((9, 13, 16, 18, 20), (20,)),
    Limb((9, 14, 17, 19, 21), (21,)),
)


def limb_targets(joints_w: Tensor, static_logits: Tensor) -> Tensor:
    """Return the target positions of the static joints (GVHMR, post-processing).

    A target is the mean of the previous frame's target, weighted with the contact probability, and
    the joint's present position. This linear recurrence is solved by doubling, in O(log L)
    operations on whole sequences.

    Args:
        joints_w (Tensor): World joints (B, L, 22, 3), metres.
        static_logits (Tensor): Contact logits of the static joints (B, L, 6); those of frame t
            are for the step from t to t + 1.

    Returns:
        Tensor: Targets of the static joints (B, L, 6, 3), metres.

    Raises:
        ShapeError: If a shape is wrong.
    """
    sizes = check_shape(joints_w, f'B L {NUM_JOINTS} 3', 'joints_w')
    check_shape(static_logits, f'B L {len(STATIC_JOINTS)}', 'static_logits', **sizes)
    present = joints_w[:, :, list(STATIC_JOINTS)]
    # target[t] = keep[t] target[t - 1] + new[t], with nothing to keep at first.
    keep = torch.zeros_like(static_logits)
    keep[:, 1:] = static_logits[:, :-1].sigmoid()
    keep = keep[..., None]
    new = (1 - keep) * present
    shift = 1
    while shift < present.shape[1]:
        # Frame t now reaches back to t - 2 shift + 1.
        new = torch.cat((new[:, :shift], new[:, shift:] + keep[:, shift:] * new[:, :-shift]), 1)
        keep = torch.cat((keep[:, :shift], keep[:, shift:] * keep[:, :-shift]), 1)
        shift *= 2
    return new


def solve_limbs(
    body_pose_R: Tensor,
    R_w: Tensor,
    transl_w: Tensor,
    skeleton: Tensor,
    static_logits: Tensor,
    compat: str = 'correct',
) -> Tensor:
    """Pose legs and arms so that static ankles, feet and wrists stay (GVHMR, post-processing).

    Two sweeps of cyclic coordinate descent per limb. The rotation of a limb's tip relative to its
    parent is kept. A frame depends on earlier ones alone, so padding at the end has no effect.

    Args:
        body_pose_R (Tensor): Body joint rotations (B, L, 21, 3, 3).
        R_w (Tensor): World orientation of the root (B, L, 3, 3).
        transl_w (Tensor): World translation (B, L, 3), metres, already corrected.
        skeleton (Tensor): Rest joints (B, L, 22, 3), metres.
        static_logits (Tensor): Contact logits of the static joints (B, L, 6).
        compat (str): ``'correct'`` averages rotations on SO(3) where a joint has two targets;
            ``'published'`` averages axes as the published code does, goes on with matrices that
            are not rotations, and returns what their approximate axis-angle vectors give. Defaults
            to ``'correct'``.

    Returns:
        Tensor: Body joint rotations (B, L, 21, 3, 3).

    Raises:
        ShapeError: If a shape is wrong, or there is no frame.
        ConfigError: If ``compat`` is not one of the two modes.
    """
    check_choice(compat, COMPAT_MODES, 'compat')
    sizes = check_shape(body_pose_R, f'B L {NUM_BODY_JOINTS} 3 3', 'body_pose_R')
    if sizes['L'] == 0:
        raise ShapeError(
            '`body_pose_R` should have at least one frame, got '
            f'{tuple(body_pose_R.shape)}: leave empty sequences out'
        )
    check_shape(R_w, 'B L 3 3', 'R_w', **sizes)
    check_shape(transl_w, 'B L 3', 'transl_w', **sizes)
    check_shape(skeleton, f'B L {NUM_JOINTS} 3', 'skeleton', **sizes)

    R_local = torch.cat((R_w[:, :, None], body_pose_R), dim=2)
    R_global, joints = forward_kinematics(R_local, skeleton, PARENTS_22)
    joints = joints + transl_w[:, :, None]
    targets = limb_targets(joints, static_logits)
    bones = bone_vectors(skeleton, PARENTS_22)

    # The limbs share no joint that moves.
    solved = list(R_local.unbind(2))
    for limb in LIMBS:
        chain = list(limb.joints)
        rotations = solve_chain(
            R_global[:, :, chain[0]],
            joints[:, :, chain[0]],
            [solved[joint] for joint in chain],
            [bones[:, :, joint] for joint in chain],
            {chain.index(j): targets[:, :, STATIC_JOINTS.index(j)] for j in limb.targets},
            RULES[compat],
        )
        for joint, rotation in zip(chain[1:], rotations[1:]):
            solved[joint] = rotation
    body = torch.stack(solved[1:], dim=2)
    return _published_rotation(body) if compat == 'published' else body


def _published_rotation(matrix: Tensor) -> Tensor:
    """Return the rotations to which the published code converts matrices (..., 3, 3).

    For a matrix that is not a rotation its quaternion does not have unit length, and its axis-angle
    vector is longer by that length.
    """
    x, y, z = matrix.diagonal(dim1=-2, dim2=-1).unbind(-1)
    # For a rotation, four times the squares of w, x, y and z; the largest one is used.
    squares = torch.stack((1 + x + y + z, 1 + x - y - z, 1 - x + y - z, 1 - x - y + z), dim=-1)
    square, used = squares.max(dim=-1, keepdim=True)
    part = matrix_to_quaternion(matrix).gather(-1, used).abs()
    return axis_angle_to_matrix(matrix_to_axis_angle(matrix) * square.sqrt() / (2 * part))
