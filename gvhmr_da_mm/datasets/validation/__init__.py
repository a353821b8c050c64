"""Checks of packs: what would break training or falsify scores, before it does."""

from .checks import CHECKS, sequence_check
from .fields import Field, FieldSpec
from .finding import ERROR, WARNING, Finding
from .layouts import LAYOUTS, PackLayout, SequenceName, register_layout
from .sequence import FrameRange, Sequence
from .validate_packs import (
    SequenceReport,
    check_sequence,
    find_layouts,
    summarize,
    validate_layout,
)

__all__ = [
    'CHECKS',
    'ERROR',
    'LAYOUTS',
    'WARNING',
    'Field',
    'FieldSpec',
    'Finding',
    'FrameRange',
    'PackLayout',
    'Sequence',
    'SequenceName',
    'SequenceReport',
    'check_sequence',
    'find_layouts',
    'register_layout',
    'sequence_check',
    'summarize',
    'validate_layout',
]
