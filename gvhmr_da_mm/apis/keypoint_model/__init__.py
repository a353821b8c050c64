"""Evaluation of models that see keypoints alone: on motion capture and on calibrated videos."""

from .calibrated import evaluate_calibrated
from .keypoint_model import KeypointModel, load_keypoint_model
from .mocap import evaluate_mocap, open_mocap
from .reference import videos_of
from .summary import mean_of_views, summary_tables, write_summary

__all__ = [
    'KeypointModel',
    'evaluate_calibrated',
    'evaluate_mocap',
    'load_keypoint_model',
    'mean_of_views',
    'open_mocap',
    'summary_tables',
    'videos_of',
    'write_summary',
]
