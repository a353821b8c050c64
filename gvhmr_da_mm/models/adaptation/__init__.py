"""Domain adaptation: confidences, pseudo-labels, motion critic and mean teacher."""

from .confidence import (
    CombinedConfidence,
    pairwise_angle,
    reprojection_confidence,
    view_agreement,
)
from .confidence_calibrator import ConfidenceCalibrator
from .ema import update_ema
from .label_fusion import PseudoLabels, fuse_candidates, fuse_rotations
from .motion_critic import MotionCritic
from .motion_queue import MotionQueue
from .nearest_motion_target import NearestMotionTarget
from .pose_lifter import PoseLifter
from .pseudo_label_loss import PseudoLabelLoss
from .pseudo_labeler import PseudoLabeler

__all__ = [
    'CombinedConfidence',
    'ConfidenceCalibrator',
    'MotionCritic',
    'MotionQueue',
    'NearestMotionTarget',
    'PoseLifter',
    'PseudoLabelLoss',
    'PseudoLabeler',
    'PseudoLabels',
    'fuse_candidates',
    'fuse_rotations',
    'pairwise_angle',
    'reprojection_confidence',
    'update_ema',
    'view_agreement',
]
