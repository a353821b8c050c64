"""Domain adaptation: views of a clip, confidences, pseudo-labels and the moving teacher."""

from .confidence import (
    CombinedConfidence,
    pairwise_angle,
    reprojection_confidence,
    view_agreement,
)
from .confidence_calibrator import ConfidenceCalibrator
from .ema import update_ema
from .feature_alignment import FeatureAlignment
from .keypoint_refiner import KeypointRefiner
from .motion_queue import MotionQueue
from .nearest_motion_target import NearestMotionTarget
from .pseudo_labeler import PseudoLabeler, PseudoLabels, fuse_rotations
from .stance_path import StancePath

__all__ = [
    'CombinedConfidence',
    'ConfidenceCalibrator',
    'FeatureAlignment',
    'KeypointRefiner',
    'MotionQueue',
    'NearestMotionTarget',
    'PseudoLabeler',
    'PseudoLabels',
    'StancePath',
    'fuse_rotations',
    'pairwise_angle',
    'reprojection_confidence',
    'update_ema',
    'view_agreement',
]
