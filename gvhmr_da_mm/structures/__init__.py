"""Records of body motion."""

from .motion import MotionPrediction, empty_inputs
from .motion_dump import MotionDump, dump_name, read_motion_dump, sample_inputs, write_motion_dump
from .motion_result import CameraMotion, MotionResult
from .person_motion import PersonMotion
from .recovered_motion import RecoveredMotion
from .targets import BodyTargets, MotionTargets

__all__ = [
    'BodyTargets',
    'CameraMotion',
    'MotionDump',
    'MotionPrediction',
    'MotionResult',
    'MotionTargets',
    'PersonMotion',
    'RecoveredMotion',
    'dump_name',
    'empty_inputs',
    'read_motion_dump',
    'sample_inputs',
    'write_motion_dump',
]
