"""Demo data: packs and body models in the published formats, without licensed files."""

from .domain_shift import DomainShift
from .generate import SIZES, DemoSize, generate_demo, read_manifest

__all__ = ['SIZES', 'DemoSize', 'DomainShift', 'generate_demo', 'read_manifest']
