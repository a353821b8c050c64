"""Records of body motion."""

from .motion import BodyMotion, MotionPrediction, empty_inputs

__all__ = ['BodyMotion', 'MotionPrediction', 'empty_inputs']
