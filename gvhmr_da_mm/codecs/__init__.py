from .keypoint_noise import KeypointNoise
from .motion_codec import DecodedMotion, MotionCodec

__all__ = ['DecodedMotion', 'KeypointNoise', 'MotionCodec']
