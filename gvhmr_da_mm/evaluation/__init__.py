"""Evaluation: protocols, metrics, dumps of predictions and tables of results."""

from .dump_index import check_dump_dir, read_index, write_index
from .dump_predictions import DumpPredictions
from .evaluate_dump import evaluate_dump
from .matched_samples import FoundPerson, matched_samples
from .metrics import (
    CameraSpaceMetric,
    ProtocolWarning,
    ReprojectionMetric,
    SequenceMetric,
    SkippedSequenceWarning,
    WorldSpaceMetric,
)
from .protocols import PROTOCOLS, Protocol, get_protocol
from .report import format_table, write_csv, write_json

__all__ = [
    'CameraSpaceMetric',
    'DumpPredictions',
    'FoundPerson',
    'PROTOCOLS',
    'Protocol',
    'ProtocolWarning',
    'ReprojectionMetric',
    'SequenceMetric',
    'SkippedSequenceWarning',
    'WorldSpaceMetric',
    'check_dump_dir',
    'evaluate_dump',
    'format_table',
    'get_protocol',
    'matched_samples',
    'read_index',
    'write_csv',
    'write_index',
    'write_json',
]
