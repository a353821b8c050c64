"""Readers of results, of this package and of other methods."""

from .load_result import load_result
from .posed_motion import PosedMotion, pose_motion
from .read_result import read_result
from .stored_motion import Placement, StoredMotion

__all__ = [
    'Placement',
    'PosedMotion',
    'StoredMotion',
    'load_result',
    'pose_motion',
    'read_result',
]
