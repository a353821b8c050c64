"""Demo data: packs and body models in the published formats, without licensed files."""

from .domain_shift import DomainShift
from .generate import generate_demo, read_manifest
from .motions import choose_mocap
from .sample_video import sample_video
from .size import SIZES, DemoSize

__all__ = [
    'SIZES',
    'DemoSize',
    'DomainShift',
    'choose_mocap',
    'generate_demo',
    'read_manifest',
    'sample_video',
]
