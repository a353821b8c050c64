"""Detectors of people and their keypoints."""

from .build import DETECTORS, build_detector, check_detector, file_of, files_of, keypoint_files
from .detections import Detections, boxes_around
from .detector import Detector
from .keypoint_file import KeypointFile
from .mediapipe_pose import MediaPipePose
from .mmpose_pose import MMPosePose
from .rtmlib_pose import RTMLibPose

__all__ = [
    'DETECTORS',
    'Detections',
    'Detector',
    'KeypointFile',
    'MMPosePose',
    'MediaPipePose',
    'RTMLibPose',
    'boxes_around',
    'build_detector',
    'check_detector',
    'file_of',
    'files_of',
    'keypoint_files',
]
