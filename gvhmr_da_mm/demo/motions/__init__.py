"""Motion clips of the demo (see NOTICE for source and licence)."""

from .clip import MotionClip, load_clip
from .performance import REAL_MOTIONS, SYNTHETIC_MOTIONS, perform

__all__ = ['REAL_MOTIONS', 'SYNTHETIC_MOTIONS', 'MotionClip', 'load_clip', 'perform']
