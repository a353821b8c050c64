"""Corrections of a prediction by the evidence of its own clip: keypoints and feet."""

from .foot_contact_odometry import FootContactOdometry
from .keypoint_refiner import KeypointRefiner

__all__ = ['KeypointRefiner', 'FootContactOdometry']
