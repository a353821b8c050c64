"""Records of body motion."""

from .clip_samples import ClipSamples, camera_only, stack_labels
from .motion import MotionPrediction, empty_inputs
from .motion_dump import MotionDump, dump_name, read_motion_dump, sample_inputs, write_motion_dump
from .motion_result import CameraMotion, MotionResult
from .person_motion import PersonMotion
from .recovered_motion import RecoveredMotion
from .targets import BodyTargets, MotionTargets

__all__ = [
    'BodyTargets',
    'CameraMotion',
    'ClipSamples',
    'MotionDump',
    'MotionPrediction',
    'MotionResult',
    'MotionTargets',
    'PersonMotion',
    'RecoveredMotion',
    'camera_only',
    'dump_name',
    'empty_inputs',
    'read_motion_dump',
    'sample_inputs',
    'stack_labels',
    'write_motion_dump',
]
