"""Networks, losses and complete models."""

from .adaptation.domain_adaptive_gvhmr import DomainAdaptiveGVHMR
from .backbones import RotaryTemporalTransformer
from .data_preprocessors import MotionDataPreprocessor
from .estimators import GVHMR
from .heads import MotionDiscriminator, MotionHead
from .losses import ContactConsistencyLoss, GVHMRLoss, ReprojectionLoss, RobustGVHMRLoss
from .refiners import FootContactOdometry, KeypointRefiner

__all__ = [
    'ContactConsistencyLoss',
    'DomainAdaptiveGVHMR',
    'GVHMR',
    'GVHMRLoss',
    'KeypointRefiner',
    'MotionDataPreprocessor',
    'MotionDiscriminator',
    'MotionHead',
    'ReprojectionLoss',
    'RobustGVHMRLoss',
    'RotaryTemporalTransformer',
    'FootContactOdometry',
]
