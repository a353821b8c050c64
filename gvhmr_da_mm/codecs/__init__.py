from .keypoint_noise import KeypointNoise
from .motion_codec import DecodedMotion, MotionCodec
from .random_box import RandomBox

__all__ = ['DecodedMotion', 'KeypointNoise', 'MotionCodec', 'RandomBox']
