"""Use of what is known about the people and the floor of a video."""

import math
from dataclasses import replace

import numpy as np
import torch

from ...body_models import SMPLXBody
from ...body_models.known_height import betas_of_height, body_height
from ...core.postprocess.floor_drift import STEP, floor_drift_lift
from ...core.rotation import axis_angle_to_matrix, matrix_to_axis_angle
from ...structures import PersonMotion

MIN_CONTACT_PROBABILITY = 0.5
MAX_GRAVITY_ANGLE = 45.0
"""Degrees; networks are right about what is down to a few."""


def with_height(person: PersonMotion, height: float, body: SMPLXBody) -> PersonMotion:
    """Give a person a known height: shape, distances from the camera, and path scale with it.

    Args:
        person (PersonMotion): The person, in the camera and in the world.
        height (float): Height in metres.
        body (SMPLXBody): The body, on the CPU.

    Returns:
        PersonMotion: With this height; the input stays as it is.

    Raises:
        ConfigError: If no plausible shape has this height.
    """
    before = torch.from_numpy(person.betas).float().mean(dim=0)
    after = betas_of_height(body, before, height)
    scale = height / float(body_height(body, before))
    betas = after.expand(len(person), -1).numpy()
    offset = body.skeleton(after)[0].numpy()
    old_offset = person.joints_w[:, 0] - person.transl_w
    transl_w, transl_c = (
        (transl + old_offset) * scale - offset for transl in (person.transl_w, person.transl_c)
    )
    pose = person.body_pose if person.body_pose_w is None else person.body_pose_w
    values = (pose, betas, person.global_orient_w, transl_w)
    joints_w = body.fk(*(torch.as_tensor(value).float() for value in values)).numpy()
    return replace(person, betas=betas, transl_w=transl_w, transl_c=transl_c, joints_w=joints_w)


def gravity_doubts(person: PersonMotion, T_w2c: np.ndarray) -> list[str]:
    """Return a note where a camera of known pose has another direction down than the motion has.

    Args:
        person (PersonMotion): F frames, in the camera and in the predicted world.
        T_w2c (np.ndarray): World to camera (F, 4, 4), y up.
    """
    cosine = (person.T_w2c[:, :3, 1] * T_w2c[:, :3, 1]).sum(axis=-1)
    angle = np.degrees(np.median(np.arccos(cosine.clip(-1, 1))))
    if angle < MAX_GRAVITY_ANGLE:
        return []
    return [
        f'the poses of the camera have down {angle:.0f} degrees from where the motion of this '
        'person has it: they should be world-to-camera, and `up` the up axis of their world'
    ]


def in_given_world(person: PersonMotion, T_w2c: np.ndarray) -> PersonMotion:
    """Put a person into the world of a camera of known pose.

    Args:
        person (PersonMotion): F frames.
        T_w2c (np.ndarray): World to camera (F, 4, 4), y up, metres.

    Returns:
        PersonMotion: In that world.
    """
    R = T_w2c[:, :3, :3]
    R_c = axis_angle_to_matrix(torch.from_numpy(person.global_orient_c).double())
    R_w = torch.from_numpy(R).double().mT @ R_c
    return _placed(person, R_w, (person.joints_c - T_w2c[:, None, :3, 3]) @ R)


def on_floor(person: PersonMotion, flat: bool) -> PersonMotion:
    """Lift the frames of a person so that the contacts of the feet do not drift in height.

    Args:
        person (PersonMotion): The person.
        flat (bool): Whether the floor has no steps.

    Returns:
        PersonMotion: Lifted in the world; the motion in the camera is the same.
    """
    contact = torch.from_numpy(person.contacts) > MIN_CONTACT_PROBABILITY
    step = math.inf if flat else STEP
    lift = floor_drift_lift(torch.from_numpy(person.joints_w), contact, step).numpy()
    shift = np.stack((0 * lift, lift, 0 * lift), axis=-1)
    return moved(person, np.eye(3), shift)


def moved(person: PersonMotion, R: np.ndarray, shift: np.ndarray) -> PersonMotion:
    """Move a person in the world, or to another one.

    Args:
        person (PersonMotion): F frames.
        R (np.ndarray): Rotation (3, 3), about the world's origin, of all frames.
        shift (np.ndarray): Shift (3,) or (F, 3) after it, metres.

    Returns:
        PersonMotion: In that place; the motion in the camera is the same.
    """
    turn = torch.from_numpy(np.asarray(R)).double()
    R_w = turn @ axis_angle_to_matrix(torch.from_numpy(person.global_orient_w).double())
    shift = np.broadcast_to(shift, (len(person), 3))
    return _placed(person, R_w, person.joints_w @ turn.numpy().T + shift[:, None])


def _placed(person: PersonMotion, R_w: torch.Tensor, joints_w: np.ndarray) -> PersonMotion:
    """Return a person with another orientation (F, 3, 3) and joints (F, 22, 3) in the world."""
    kind, offset = person.transl_w.dtype, person.joints_w[:, 0] - person.transl_w
    return replace(
        person,
        global_orient_w=matrix_to_axis_angle(R_w).numpy().astype(kind),
        joints_w=joints_w.astype(kind),
        transl_w=(joints_w[:, 0] - offset).astype(kind),
    )
