"""Protocols, metrics and tables of the evaluation."""

from .metrics import CameraSpaceMetric, SequenceMetric, SkippedSequenceWarning, WorldSpaceMetric
from .protocols import PROTOCOLS, Protocol, get_protocol
from .report import format_table, write_csv, write_json

__all__ = [
    'CameraSpaceMetric',
    'PROTOCOLS',
    'Protocol',
    'SequenceMetric',
    'SkippedSequenceWarning',
    'WorldSpaceMetric',
    'format_table',
    'get_protocol',
    'write_csv',
    'write_json',
]
