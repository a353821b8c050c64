"""Motion clips of the demo (see NOTICE for source and licence), and recorded motion."""

from .clip import MotionClip, Take, load_clip
from .embedded import REAL_MOTIONS, SYNTHETIC_MOTIONS, EmbeddedMotions, embedded_takes
from .performance import perform
from .recorded import RecordedMotions, choose_mocap, mocap_fingerprint

__all__ = [
    'REAL_MOTIONS',
    'SYNTHETIC_MOTIONS',
    'EmbeddedMotions',
    'MotionClip',
    'RecordedMotions',
    'Take',
    'embedded_takes',
    'choose_mocap',
    'load_clip',
    'mocap_fingerprint',
    'perform',
]
