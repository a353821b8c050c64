"""Detectors of people and their keypoints."""

from .build import build_detector, check_detector, file_of
from .detections import Detections, boxes_around
from .keypoint_file import KeypointFile
from .mediapipe_pose import MediaPipePose
from .mmpose_pose import MMPosePose

__all__ = [
    'Detections',
    'KeypointFile',
    'MMPosePose',
    'MediaPipePose',
    'boxes_around',
    'build_detector',
    'check_detector',
    'file_of',
]
