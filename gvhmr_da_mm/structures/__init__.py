"""Records of body motion."""

from .motion import MotionPrediction, empty_inputs
from .motion_dump import MotionDump, dump_name, read_motion_dump, sample_inputs, write_motion_dump
from .recovered_motion import RecoveredMotion
from .targets import BodyTargets, MotionTargets

__all__ = [
    'BodyTargets',
    'MotionDump',
    'MotionPrediction',
    'MotionTargets',
    'RecoveredMotion',
    'dump_name',
    'empty_inputs',
    'read_motion_dump',
    'sample_inputs',
    'write_motion_dump',
]
