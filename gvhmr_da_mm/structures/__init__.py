"""Records of body motion."""

from .motion import BodyMotion, MotionPrediction, empty_inputs
from .targets import BodyTargets, MotionTargets

__all__ = ['BodyMotion', 'BodyTargets', 'MotionPrediction', 'MotionTargets', 'empty_inputs']
