"""Views of a clip with exact inverses, registered in TRANSFORMS."""

from .base_view import BaseView
from .box_jitter import BoxJitter
from .camera_roll import CameraRoll
from .compose import ComposeViews
from .feature_views import FeatureDrop, FeatureNoise
from .horizontal_flip import HorizontalFlip
from .identity import Identity
from .keypoint_views import KeypointDrop, KeypointJitter, KeypointOcclusion
from .time_crop import TimeCrop

__all__ = [
    'BaseView',
    'BoxJitter',
    'CameraRoll',
    'ComposeViews',
    'FeatureDrop',
    'FeatureNoise',
    'HorizontalFlip',
    'Identity',
    'KeypointDrop',
    'KeypointJitter',
    'KeypointOcclusion',
    'TimeCrop',
]
