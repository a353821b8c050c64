from .detector_noise import DetectorNoise
from .keypoint_noise import KeypointNoise
from .motion_codec import DecodedMotion, MotionCodec

__all__ = ['DecodedMotion', 'DetectorNoise', 'KeypointNoise', 'MotionCodec']
