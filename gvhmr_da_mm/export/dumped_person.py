"""Predicted sequences of a test run as the motion of a person."""

import numpy as np

from ..core.errors import ConfigError, DataError
from ..structures import MotionDump, PersonMotion

_REQUIRED = (
    'body_pose',
    'betas',
    'keypoints',
    'global_orient_c',
    'transl_c',
    'global_orient_w',
    'transl_w',
)


def dumped_person(dump: MotionDump) -> PersonMotion:
    """Return the predicted motion of a dump.

    Args:
        dump (MotionDump): A predicted sequence.

    Raises:
        DataError: If a field is missing.
    """
    instances = dump.sample.pred_instances
    missing = [name for name in _REQUIRED if name not in instances]
    if missing:
        raise DataError(f'{dump.path} should have {missing} in `pred_instances`')
    frames = np.ones(len(dump), bool)
    fields = {} if 'confidence' in instances else dict(confidence=frames.astype(float))
    start = int(dump.sample.get('start') or 0)
    return PersonMotion.from_prediction(instances, id=0, first_frame=start, seen=frames, **fields)


def in_given_world(dump: MotionDump) -> bool:
    """Return whether the predicted motion is in the world of a camera of given pose."""
    return bool(dump.sample.get('test_time', {}).get('given_camera'))


def given_up(dump: MotionDump) -> str:
    """Return the up axis of the world in which the pose of the camera was given.

    Raises:
        ConfigError: If no pose was given, or the motion is not in its world.
    """
    if not in_given_world(dump):
        raise ConfigError(
            f'{dump.path} is not in the world of a given camera: convert the video with a camera '
            'file that has `T_w2c` and `up` (docs/en/videos.md), or use another `space`'
        )
    return dump.sample.world_up
