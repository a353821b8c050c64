"""Test-time steps between the network's prediction and the result."""

from .flip_test import FlipTest
from .motion_postprocessor import MotionPostprocessor
from .motion_recovery import MotionRecovery

__all__ = ['FlipTest', 'MotionPostprocessor', 'MotionRecovery']
