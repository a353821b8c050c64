"""Demo data: packs and bodies in the published formats, for those without the licensed files."""

from .domain_shift import DomainShift
from .generate import SIZES, DemoSize, generate_demo, read_manifest

__all__ = ['SIZES', 'DemoSize', 'DomainShift', 'generate_demo', 'read_manifest']
