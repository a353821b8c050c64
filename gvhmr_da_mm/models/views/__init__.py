"""Views of a clip with exact inverses, registered in TRANSFORMS."""

from .base_view import BaseView
from .box_jitter import BoxJitter
from .camera_roll import CameraRoll
from .compose import ComposeViews
from .feature_noise import FeatureNoise
from .horizontal_flip import HorizontalFlip
from .keypoint_views import KeypointDrop, KeypointJitter

__all__ = [
    'BaseView',
    'BoxJitter',
    'CameraRoll',
    'ComposeViews',
    'FeatureNoise',
    'HorizontalFlip',
    'KeypointDrop',
    'KeypointJitter',
]
