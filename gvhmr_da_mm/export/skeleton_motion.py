"""Motions as a skeleton with joint rotations, the form of animation files."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.checks import check_choice
from ..core.conventions import FPS, PARENTS_22
from ..core.errors import ConfigError, DataError
from ..core.extrinsics import rotation_to_y_up
from ..core.kinematics import forward_kinematics
from ..core.layout import NUM_JOINTS
from ..core.rotation import axis_angle_to_matrix
from ..structures import MotionDump

SPACE_SUFFIXES = {'camera': 'c', 'world': 'w', 'given': 'w'}
"""Spaces, and the suffix of their fields. ``given`` has the axes in which the camera was given."""
REQUIRED_FIELDS = ('body_pose', 'betas', 'keypoints', 'global_orient_c', 'transl_c')


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

    @property
    def rest_joints(self) -> Tensor:
        """Joints at rest, the root at the origin (22, 3), m."""
        joints = torch.zeros_like(self.offsets)
        for joint, parent in enumerate(PARENTS_22):
            if parent >= 0:
                joints[joint] = joints[parent] + self.offsets[joint]
        return joints

    def posed(self) -> tuple[Tensor, Tensor]:
        """Return global rotations (F, 22, 3, 3) and joints (F, 22, 3) in the space, m."""
        R_global, joints = forward_kinematics(self.R_local, self.rest_joints, PARENTS_22)
        return R_global, joints + self.root[:, None]


def predicted_motion(dump: MotionDump, space: str = 'world') -> SkeletonMotion:
    """Return the predicted motion of a dump; needs no body model.

    Bones come from the predicted joints, rotated back by the rotation of the parent, and are
    averaged over the frames.

    Args:
        dump (MotionDump): A predicted sequence.
        space (str): 'world' (y up), 'camera', or 'given', see :func:`rotation_to_space`. Defaults
            to 'world'.

    Raises:
        ConfigError: If the space is unknown.
        DataError: If a field is missing.
    """
    check_choice(space, SPACE_SUFFIXES, 'space')
    orient, transl = (f'{name}_{SPACE_SUFFIXES[space]}' for name in ('global_orient', 'transl'))
    instances = dump.sample.pred_instances
    missing = [name for name in (*REQUIRED_FIELDS, orient, transl) if name not in instances]
    if missing:
        raise DataError(f'{dump.path} should have {missing} in `pred_instances`')
    values = {
        name: torch.as_tensor(instances[name]).double()
        for name in (*REQUIRED_FIELDS, orient, transl)
    }
    joints_c = values['keypoints'][:, :NUM_JOINTS]
    R_body = axis_angle_to_matrix(values['body_pose'].unflatten(-1, (-1, 3)))
    pose = torch.as_tensor(body_pose_of(dump, space)).double()
    R_posed = axis_angle_to_matrix(pose.unflatten(-1, (-1, 3)))
    R_c = axis_angle_to_matrix(values['global_orient_c'])
    offsets = bones_of(joints_c, torch.cat((R_c[:, None], R_body), dim=1))
    turn = rotation_to_space(dump, space)
    R_root = turn @ axis_angle_to_matrix(values[orient])
    return SkeletonMotion(
        R_local=torch.cat((R_root[:, None], R_posed), dim=1),
        root=(values[transl] + joints_c[:, 0] - values['transl_c']) @ turn.mT,
        offsets=offsets,
    )


def body_pose_of(dump: MotionDump, space: str) -> Tensor:
    """Return the body pose (F, 63) of a space; post-processing changes that of the world only."""
    instances = dump.sample.pred_instances
    in_world = space != 'camera' and 'body_pose_w' in instances
    return instances['body_pose_w' if in_world else 'body_pose']


def rotation_to_space(dump: MotionDump, space: str) -> Tensor:
    """Return the rotation (3, 3), float64, from the stored fields of a space to the space.

    Args:
        dump (MotionDump): A predicted sequence.
        space (str): For 'given' the rotation from the y-up world to the axes of the world in which
            the pose of the camera was given; otherwise the identity.

    Raises:
        ConfigError: If no pose was given, or the motion is not in its world.
    """
    if space != 'given':
        return torch.eye(3, dtype=torch.float64)
    if not in_given_world(dump):
        raise ConfigError(
            f'{dump.path} is not in the world of a given camera: convert the video with a camera '
            'file that has `T_w2c` and `up` (docs/en/videos.md), or use another `space`'
        )
    return rotation_to_y_up(dump.sample.world_up).double().mT


def in_given_world(dump: MotionDump) -> bool:
    """Return whether the predicted motion is in the world of a camera of given pose."""
    return bool(dump.sample.get('test_time', {}).get('given_camera'))


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


def mean_betas(dump: MotionDump) -> np.ndarray:
    """Return the predicted body shape (10,), the mean over the frames."""
    return torch.as_tensor(dump.sample.pred_instances.betas).double().mean(dim=0).numpy()
