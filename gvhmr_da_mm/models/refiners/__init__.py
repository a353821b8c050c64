"""Corrections of a prediction by the evidence of its own clip: keypoints and feet."""

from .keypoint_refiner import KeypointRefiner
from .stance_path import StancePath

__all__ = ['KeypointRefiner', 'StancePath']
