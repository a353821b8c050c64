"""Heads: motion and the motion discriminator."""

from .motion_discriminator import MotionDiscriminator
from .motion_head import MotionHead

__all__ = ['MotionDiscriminator', 'MotionHead']
