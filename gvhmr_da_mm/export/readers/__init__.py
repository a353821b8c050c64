"""Readers of results, of this package and of other methods."""

from .posed_motion import PosedMotion, pose_motion
from .read_result import frame_range, read_result
from .stored_motion import Placement, StoredMotion

__all__ = [
    'Placement',
    'PosedMotion',
    'StoredMotion',
    'frame_range',
    'pose_motion',
    'read_result',
]
