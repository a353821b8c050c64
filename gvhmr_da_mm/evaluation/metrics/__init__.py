"""Metrics for MMEngine's evaluator."""

from .camera_space_metric import CameraSpaceMetric
from .reprojection_metric import ReprojectionMetric
from .sequence_metric import ProtocolWarning, SequenceMetric, SkippedSequenceWarning
from .world_space_metric import WorldSpaceMetric

__all__ = [
    'CameraSpaceMetric',
    'ProtocolWarning',
    'ReprojectionMetric',
    'SequenceMetric',
    'SkippedSequenceWarning',
    'WorldSpaceMetric',
]
