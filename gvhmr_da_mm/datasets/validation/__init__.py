"""Validation of published packs and sequence packs, before they are trained on."""

from .checks import CHECKS, sequence_check
from .fields import Field
from .finding import ERROR, WARNING, Finding
from .folder import DataFolder
from .sequence import FrameRange, Sequence
from .validate_packs import (
    SequenceReport,
    check_sequence,
    dataset_names,
    find_folders,
    summarize,
    validate_folder,
)

__all__ = [
    'CHECKS',
    'ERROR',
    'WARNING',
    'DataFolder',
    'Field',
    'Finding',
    'FrameRange',
    'Sequence',
    'SequenceReport',
    'check_sequence',
    'dataset_names',
    'find_folders',
    'sequence_check',
    'summarize',
    'validate_folder',
]
