"""Scoring of dumped predictions without the model and the datasets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union

from mmengine.evaluator import BaseMetric, Evaluator

from ..core.errors import DataError
from ..registry import METRICS
from ..structures import read_motion_dump
from .dump_index import read_index


def evaluate_dump(
    metrics: Sequence[Union[dict, BaseMetric]], folder: Union[str, Path]
) -> tuple[dict[str, float], list[BaseMetric], dict[str, Any]]:
    """Score a dump, with the same results as in the test run.

    Args:
        metrics (Sequence[dict | BaseMetric]): As ``test_evaluator`` of a config.
        folder (str | Path): Folder that ``tools/test.py --dump`` wrote.

    Returns:
        tuple: Results by name, the metrics, and the facts about the run in the index.

    Raises:
        MissingFilesError: If the index or a sequence is missing.
        DataError: If a file is unknown, damaged, or differs from the index in length or name.
    """
    entries, meta = read_index(folder)
    built = [METRICS.build(dict(m)) if isinstance(m, dict) else m for m in metrics]
    evaluator = Evaluator(built)
    for entry in entries:
        dump = read_motion_dump(Path(folder) / entry.file)
        if len(dump) != entry.frames:
            raise DataError(
                f'{dump.path} should have {entry.frames} frames, as in the index, got '
                f'{len(dump)}: it is of another run; dump again'
            )
        named = dump.sample.get('dataset'), dump.sample.get('sequence')
        if named != (entry.dataset, entry.sequence):
            raise DataError(
                f'{dump.path} should be {entry.dataset} sequence {entry.sequence!r}, as in the '
                f'index, got {named[0]} sequence {named[1]!r}: dump again'
            )
        batch = dict(inputs={name: value[None] for name, value in dump.inputs.items()})
        evaluator.process([dump.sample], batch)
    return evaluator.evaluate(len(entries)), built, meta
