"""SMPL-X parameters of a person in one space, the form of parameter files."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.camera import transform_smpl
from ..core.checks import check_choice
from ..core.errors import ConfigError
from ..core.extrinsics import AXES, rigid_transform, rotation_to_y_up
from ..structures import PersonMotion

SPACES = ('world', 'camera')


@dataclass(frozen=True)
class SpaceFields:
    """Fields of a person in one space.

    Note:
        F frames.

    Attributes:
        body_pose (np.ndarray): Axis-angle (F, 63), rad.
        global_orient (np.ndarray): Axis-angle (F, 3), rad.
        transl (np.ndarray): Metres (F, 3).
        joints (np.ndarray): Joints of the person's ``body_pose`` (F, 22, 3), metres.
    """

    body_pose: np.ndarray
    global_orient: np.ndarray
    transl: np.ndarray
    joints: np.ndarray

    @classmethod
    def of(cls, person: PersonMotion, space: str) -> 'SpaceFields':
        """Return those of a person; post-processing may change the body pose of the world only.

        Args:
            person (PersonMotion): The person.
            space (str): 'world' or 'camera'.

        Raises:
            ConfigError: If the space is unknown.
            DataError: If the motion in the camera is unknown.
        """
        check_choice(space, SPACES, 'space')
        if space == 'camera':
            joints = person.joints_c  # Raises if it is unknown.
            return cls(person.body_pose, person.global_orient_c, person.transl_c, joints)
        pose = person.body_pose if person.body_pose_w is None else person.body_pose_w
        return cls(pose, person.global_orient_w, person.transl_w, person.joints_w)


def turn_of(space: str, up: str) -> Tensor:
    """Return the rotation (3, 3), float64, from a space to one with another up axis.

    Args:
        space (str): 'world' (y up), or 'camera', which is not turned.
        up (str): One of :data:`~gvhmr_da_mm.core.extrinsics.AXES`.

    Raises:
        ConfigError: If the axis is unknown, or the camera is to be turned.
    """
    check_choice(up, AXES, 'up')
    if space == 'camera' and up != '+y':
        raise ConfigError(f'`up` is for the world, and `space` is camera: leave it out, got {up!r}')
    return rotation_to_y_up(up).double().mT


def person_parameters(
    person: PersonMotion, space: str = 'world', up: str = '+y'
) -> dict[str, np.ndarray]:
    """Return the SMPL-X parameters of a person, float32.

    Args:
        person (PersonMotion): The person, F frames.
        space (str): 'world' or 'camera'. Defaults to 'world'.
        up (str): Up axis of the world. Defaults to '+y'.

    Returns:
        dict[str, np.ndarray]: ``body_pose`` (F, 63), ``betas`` (10,), the mean over the frames,
        ``global_orient`` and ``transl`` (F, 3); radians and metres.

    Raises:
        ConfigError: If the space or axis is unknown, or the camera is to be turned.
        DataError: If the motion in the camera is unknown.
    """
    turn = turn_of(space, up)
    fields = SpaceFields.of(person, space)
    orient, transl = fields.global_orient, fields.transl
    if up != '+y':
        # SMPL-X turns about its root joint.
        offset = fields.joints[:, 0] - transl
        values = (torch.from_numpy(value).double() for value in (orient, transl))
        transform = rigid_transform(turn, turn.new_zeros(3))
        moved = transform_smpl(*values, transform, torch.from_numpy(offset).double())
        orient, transl = (value.numpy() for value in moved)
    parameters = dict(
        body_pose=fields.body_pose,
        betas=person.betas.mean(axis=0, dtype=np.float64),
        global_orient=orient,
        transl=transl,
    )
    return {name: value.astype(np.float32) for name, value in parameters.items()}
