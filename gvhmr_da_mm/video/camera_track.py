"""Camera of a clip at 30 frames per second: static, from a file, or from the gyro."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation, Slerp

from ..core.errors import DataError
from ..core.extrinsics import rigid_transform, rotation_to_y_up
from .camera_file import CameraPoses
from .time_plan import TimePlan
from .visual_gyro import MAX_STATIC_ANGLE, CameraRotation

MAX_STATIC_MOTION = 0.02
"""A camera from a file that moves by less than this, in m, is static."""


def static_rotation(plan: TimePlan) -> CameraRotation:
    """Return the rotation of a static camera."""
    return CameraRotation(np.tile(np.eye(3), (len(plan), 1, 1)), True, dict(source='static'))


def rotation_from_poses(poses: CameraPoses, plan: TimePlan, num_frames: int) -> CameraRotation:
    """Return the rotations of a file for the frames of a video at 30 per second.

    ``T_w2c`` is known if the file has positions and states which axis of their world is up.

    Args:
        poses (CameraPoses): Of the frames of the video, of its frames at 30 per second, or of one
            frame for a static camera.
        plan (TimePlan): Resampling of the video's frames to 30 per second.
        num_frames (int): Frames of the video.

    Raises:
        DataError: If the number of rotations fits neither.
    """
    path, rotations, centres, up, _ = poses
    moved = 0.0 if centres is None else float(np.ptp(centres, axis=0).max())
    if len(rotations) == num_frames:
        rotations = resample_rotations(rotations, plan)
        centres = None if centres is None else plan.interpolate(centres)
    elif len(rotations) == 1:
        rotations = np.broadcast_to(rotations, (len(plan), 3, 3))
        centres = None if centres is None else np.broadcast_to(centres, (len(plan), 3))
    elif len(rotations) != len(plan):
        raise DataError(
            f'{path} has {len(rotations)} rotations; expected one for each of the {num_frames} '
            f'frames of the video, or of its {len(plan)} frames at 30 per second'
        )
    angles = Rotation.from_matrix(rotations[0].T @ rotations).magnitude()
    static = bool(angles.max() < MAX_STATIC_ANGLE and moved < MAX_STATIC_MOTION)
    if static:
        rotations = np.broadcast_to(rotations[0], rotations.shape).copy()
        centres = None if centres is None else np.broadcast_to(centres[0], centres.shape)
    report = dict(source=str(path), largest_angle_deg=round(float(np.degrees(angles.max())), 4))
    if centres is not None:
        report['largest_motion'] = round(moved, 4)
    T_w2c = _y_up_poses(rotations, centres, up) if up else None
    return CameraRotation(rotations, static, report, T_w2c, up)


def _y_up_poses(rotations: np.ndarray, centres: np.ndarray, up: str) -> np.ndarray:
    """Return the poses (F, 4, 4) of cameras (F, 3, 3), (F, 3) after turning their world to y up."""
    R_y_up = rotation_to_y_up(up).double()
    R_w2c = torch.from_numpy(rotations) @ R_y_up.mT
    centres = torch.from_numpy(np.array(centres)) @ R_y_up.mT
    return rigid_transform(R_w2c, -(R_w2c @ centres[..., None])[..., 0]).numpy()


def unused_positions(rotation: CameraRotation) -> list[str]:
    """Return a message if a file has positions of the camera that cannot be used."""
    if 'largest_motion' not in rotation.report or rotation.world_up:
        return []
    return ['the camera file does not state `up`: its world and its positions are not used']


def rotation_from_gyro(found: CameraRotation, plan: TimePlan) -> CameraRotation:
    """Resample the rotations of the frames of ``plan.used`` to 30 frames per second."""
    report = dict(source='visual gyro', **found.report)
    return CameraRotation(resample_rotations(found.R_w2c, plan.of_used), found.static, report)


def resample_rotations(rotations: np.ndarray, plan: TimePlan) -> np.ndarray:
    """Interpolate rotations (N, 3, 3) spherically to the times of a plan (F, 3, 3)."""
    if len(rotations) == 1:
        return rotations[plan.lower]
    track = Slerp(np.arange(len(rotations)), Rotation.from_matrix(rotations))
    return track((1 - plan.weight) * plan.lower + plan.weight * plan.upper).as_matrix()
