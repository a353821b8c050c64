"""Refiners: corrections of predictions by the clip's own keypoints and foot contacts."""

from .foot_contact_odometry import FootContactOdometry
from .keypoint_refiner import KeypointRefiner

__all__ = ['KeypointRefiner', 'FootContactOdometry']
