"""From videos to motions: the inferencer and what it is made of."""

from .motion_inferencer import MotionInferencer
from .result_folder import ResultFolder
from .settings import RecoverySettings, camera_of
from .video_inputs import VideoInput, list_videos
from .video_recovery import VideoRecovery

__all__ = [
    'MotionInferencer',
    'RecoverySettings',
    'ResultFolder',
    'VideoInput',
    'VideoRecovery',
    'camera_of',
    'list_videos',
]
