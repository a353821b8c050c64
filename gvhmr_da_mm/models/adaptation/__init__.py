"""Domain adaptation: views of a clip, confidences, pseudo-labels and the moving teacher."""

from .confidence import (
    CombinedConfidence,
    pairwise_angle,
    reprojection_confidence,
    view_agreement,
)
from .confidence_calibrator import ConfidenceCalibrator
from .ema import update_ema
from .motion_queue import MotionQueue
from .nearest_motion_target import NearestMotionTarget
from .pseudo_labeler import PseudoLabeler, PseudoLabels, fuse_rotations

__all__ = [
    'CombinedConfidence',
    'ConfidenceCalibrator',
    'MotionQueue',
    'NearestMotionTarget',
    'PseudoLabeler',
    'PseudoLabels',
    'fuse_rotations',
    'pairwise_angle',
    'reprojection_confidence',
    'update_ema',
    'view_agreement',
]
