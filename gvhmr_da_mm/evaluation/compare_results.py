"""Comparison of two results on the same sequences, with bootstrap intervals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ..core.errors import DataError, MissingFilesError, list_some
from .protocols import COVERAGE
from .report import metric_label

NUM_RESAMPLES = 10_000
CONFIDENCE_LEVEL = 0.95
MAX_DRAWS_AT_ONCE = 1_000_000
"""Bound on the memory of the bootstrap; it does not change results."""
MAX_LISTED_NAMES = 5


@dataclass(frozen=True)
class SequenceChange:
    """A metric of one sequence before and after."""

    sequence: str
    before: float
    after: float
    frames: int

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before


@dataclass(frozen=True)
class MetricChange:
    """A metric of one protocol before and after.

    Attributes:
        protocol (str): Name of the protocol.
        metric (str): Key of the metric.
        before (float): Mean over the common sequences, by their frames.
        after (float): The same of the second result.
        interval (tuple[float, float], optional): Of the difference; None if there are fewer than
            two sequences.
        sequences (tuple[SequenceChange, ...]): Most improved first.
        larger_is_better (bool): Whether it is no error. Defaults to False.
    """

    protocol: str
    metric: str
    before: float
    after: float
    interval: Optional[tuple[float, float]]
    sequences: tuple[SequenceChange, ...]
    larger_is_better: bool = False

    @property
    def difference(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def verdict(self) -> str:
        """'better' or 'worse' if the interval excludes zero, else 'unclear'."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return 'unclear'
        return 'better' if (self.interval[1] < 0) != self.larger_is_better else 'worse'

    def count(self) -> tuple[int, int, int]:
        """Return how many sequences got better, got worse and stayed the same."""
        signs = np.sign([change.difference for change in self.sequences])
        signs = -signs if self.larger_is_better else signs
        return int((signs < 0).sum()), int((signs > 0).sum()), int((signs == 0).sum())


@dataclass(frozen=True)
class Comparison:
    """Changes of the metrics that two results have in common.

    Attributes:
        metrics (tuple[MetricChange, ...]): In the order of the first result.
        notes (tuple[str, ...]): Protocols and sequences in only one of them, or of other length.
    """

    metrics: tuple[MetricChange, ...]
    notes: tuple[str, ...]


def read_per_sequence(path: Union[str, Path]) -> dict[str, dict[str, dict[str, Any]]]:
    """Read the per-sequence results of a ``results.json``.

    Args:
        path (str | Path): The file.

    Returns:
        dict: Protocol to sequence to ``frames`` and metrics.

    Raises:
        MissingFilesError: If there is no such file.
        DataError: If it is not a ``results.json``.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFilesError(f'there is no result {str(path)!r}; `tools/test.py` writes them')
    try:
        found = json.loads(path.read_text(encoding='utf-8'))['per_sequence']
        frames = [record['frames'] for records in found.values() for record in records.values()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f'{path} should be a `results.json` of `tools/test.py`, with `per_sequence`: '
            f'{type(error).__name__} {error}'
        ) from error
    if not frames:
        raise DataError(
            f'{path} should hold results by sequence, got an empty `per_sequence`: test again'
        )
    return found


def protocol_notes(before: Union[str, Path], after: Union[str, Path]) -> list[str]:
    """List the differences between the protocols of two results; old files do not store them.

    Args:
        before (str | Path): A ``results.json``.
        after (str | Path): Another one.
    """
    first, second = (
        json.loads(Path(path).read_text(encoding='utf-8')).get('protocols') or {}
        for path in (before, after)
    )
    notes = []
    for protocol in (name for name in first if name in second):
        old, new = _flat(first[protocol]), _flat(second[protocol])
        notes += [
            f'{protocol}: {name} is {old.get(name)} in the first result, {new.get(name)} in the '
            'second'
            for name in dict.fromkeys([*old, *new])
            if old.get(name) != new.get(name)
        ]
    return notes


def compare_results(
    before: Mapping[str, Mapping[str, Mapping[str, Any]]],
    after: Mapping[str, Mapping[str, Mapping[str, Any]]],
    level: float = CONFIDENCE_LEVEL,
    resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare sequence by sequence, with a paired bootstrap over sequences.

    Frames of one sequence resemble each other, so sequences are drawn, not frames; a drawn one
    brings its value before and after, and weighs as its frames.

    Args:
        before (Mapping): Protocol to sequence to ``frames`` and metrics.
        after (Mapping): The same of the other run.
        level (float): Of the interval. Defaults to 0.95.
        resamples (int): Draws of the bootstrap. Defaults to 10 000.
        seed (int): Of the draws. Defaults to 0.

    Raises:
        DataError: If the two have no sequence in common.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, Sec. 13.3 (percentiles).
    """
    changes, notes = [], _missing_notes('protocol', before, after)
    for protocol in (name for name in before if name in after):
        first, second = before[protocol], after[protocol]
        notes += _missing_notes(f'{protocol} sequence', first, second)
        common = [name for name in first if name in second]
        notes += [
            f'{protocol} sequence {name}: {first[name]["frames"]} frames in the first result, '
            f'{second[name]["frames"]} in the second'
            for name in common
            if first[name]['frames'] != second[name]['frames']
        ]
        for metric in _metrics(*(first[name] for name in common)):
            pairs = _pairs(metric, common, first, second)
            if pairs:
                changes.append(_metric_change(protocol, metric, pairs, level, resamples, seed))
    if not changes:
        raise DataError(
            'the two results have no sequence with a common metric: '
            f'{"; ".join(notes) or "nothing was scored"}'
        )
    return Comparison(tuple(changes), tuple(notes))


def bootstrap_interval(
    differences: np.ndarray, weights: np.ndarray, level: float, resamples: int, seed: int
) -> Optional[tuple[float, float]]:
    """Return the percentile interval of the weighted mean of paired differences.

    Args:
        differences (np.ndarray): One per sequence (N,).
        weights (np.ndarray): Of the sequences (N,).
        level (float): Of the interval, 0 to 1.
        resamples (int): Number of draws.
        seed (int): Of the draws.

    Returns:
        tuple[float, float] | None: None for fewer than two sequences.
    """
    count = len(differences)
    if count < 2:
        return None
    generator = np.random.default_rng(seed)
    means, step = [], max(1, MAX_DRAWS_AT_ONCE // count)
    for start in range(0, resamples, step):
        drawn = generator.integers(count, size=(min(step, resamples - start), count))
        total = (differences * weights)[drawn].sum(axis=1)
        means.append(total / weights[drawn].sum(axis=1))
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)


def _metrics(*records: Mapping[str, Any]) -> list[str]:
    """Return the metrics of sequences, in the order of their records."""
    names = dict.fromkeys(name for record in records for name in record)
    return [name for name in names if metric_label(name) is not None]


def _pairs(
    metric: str, names: Sequence[str], first: Mapping[str, Any], second: Mapping[str, Any]
) -> list[SequenceChange]:
    """Return the changes of the sequences for which both results have the metric."""
    pairs = []
    for name in names:
        old, new = first[name].get(metric), second[name].get(metric)
        if old is not None and new is not None:
            frames = first[name]['labelled_frames' if metric == COVERAGE else 'frames']
            pairs.append(SequenceChange(name, float(old), float(new), frames))
    return sorted(pairs, key=lambda change: change.difference, reverse=metric == COVERAGE)


def _metric_change(
    protocol: str,
    metric: str,
    pairs: list[SequenceChange],
    level: float,
    resamples: int,
    seed: int,
) -> MetricChange:
    weights = np.array([change.frames for change in pairs], dtype=float)
    old, new = (np.array([getattr(c, name) for c in pairs]) for name in ('before', 'after'))
    interval = bootstrap_interval(new - old, weights, level, resamples, seed)
    means = [float(np.average(values, weights=weights)) for values in (old, new)]
    return MetricChange(protocol, metric, *means, interval, tuple(pairs), metric == COVERAGE)


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten nested mappings."""
    flat = {}
    for name, value in facts.items():
        flat.update(_flat(value) if isinstance(value, Mapping) else {name: value})
    return flat


def _missing_notes(kind: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """List the names that are in only one of two results."""
    notes = []
    for which, here, there in (('first', first, second), ('second', second, first)):
        alone = [name for name in here if name not in there]
        if alone:
            names = list_some(alone, MAX_LISTED_NAMES)
            notes.append(f'only in the {which} result: {kind} {names}')
    return notes
