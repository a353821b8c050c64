"""Motions as a skeleton with joint rotations, the form of animation files."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.conventions import FPS, PARENTS_22
from ..core.kinematics import forward_kinematics
from ..core.layout import NUM_JOINTS
from ..core.rotation import axis_angle_to_matrix
from ..structures import PersonMotion
from .person_parameters import SpaceFields, turn_of


@dataclass(frozen=True)
class SkeletonMotion:
    """Rotations of the 22 joints, and the trajectory of the root.

    Note:
        F frames, one skeleton for all. The space is the world or the camera.

    Attributes:
        R_local (Tensor): Rotations relative to the parents (F, 22, 3, 3); the root's in the space.
        root (Tensor): Positions of the root joint in the space (F, 3), m.
        offsets (Tensor): Rest positions relative to the parents (22, 3), m; the root's is zero.
        fps (float): Frames per second. Defaults to 30.
    """

    R_local: Tensor
    root: Tensor
    offsets: Tensor
    fps: float = FPS

    def __len__(self) -> int:
        return len(self.root)


def person_skeleton(
    person: PersonMotion, space: str = 'world', up: str = '+y', fps: float = FPS
) -> SkeletonMotion:
    """Return the motion of a person as a skeleton; needs no body model.

    Bones come from the joints, rotated back by the rotation of the parent, and are averaged over
    the frames.

    Args:
        person (PersonMotion): The person, F frames.
        space (str): 'world' or 'camera'. Defaults to 'world'.
        up (str): Up axis of the world, one of :data:`~gvhmr_da_mm.core.extrinsics.AXES`. Defaults
            to '+y'.
        fps (float): Frames per second. Defaults to 30.

    Raises:
        ConfigError: If the space is unknown, or the camera is to be turned.
        DataError: If the motion in the camera is unknown.
    """
    turn = turn_of(space, up)
    fields = SpaceFields.of(person, space)
    R_body, R_posed, R_root = (
        axis_angle_to_matrix(torch.from_numpy(value).double().unflatten(-1, (-1, 3)))
        for value in (person.body_pose, fields.body_pose, fields.global_orient)
    )
    joints = torch.from_numpy(fields.joints).double()
    return SkeletonMotion(
        R_local=torch.cat((turn @ R_root, R_posed), dim=1),
        root=joints[:, 0] @ turn.mT,
        # The joints are those of the pose in the camera, which alone may differ.
        offsets=bones_of(joints, torch.cat((R_root, R_body), dim=1)),
        fps=fps,
    )


def bones_of(joints: Tensor, R_local: Tensor) -> Tensor:
    """Return the rest offsets (22, 3) of a posed skeleton, m; means over the frames.

    Args:
        joints (Tensor): Posed joints (F, 22, 3), m.
        R_local (Tensor): Rotations relative to the parents (F, 22, 3, 3).
    """
    R_global, _ = forward_kinematics(R_local, torch.zeros_like(joints), PARENTS_22)
    offsets = torch.zeros(NUM_JOINTS, 3, dtype=joints.dtype)
    for joint, parent in enumerate(PARENTS_22):
        if parent >= 0:
            bone = (joints[:, joint] - joints[:, parent])[..., None]
            offsets[joint] = (R_global[:, parent].mT @ bone)[..., 0].mean(dim=0)
    return offsets
