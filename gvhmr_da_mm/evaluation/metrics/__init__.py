"""Metrics for MMEngine's evaluator."""

from .camera_space_metric import CameraSpaceMetric
from .sequence_metric import SequenceMetric, SkippedSequenceWarning
from .world_space_metric import WorldSpaceMetric

__all__ = ['CameraSpaceMetric', 'SequenceMetric', 'SkippedSequenceWarning', 'WorldSpaceMetric']
