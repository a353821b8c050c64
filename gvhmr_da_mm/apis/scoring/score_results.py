"""Scores of results under the named protocols."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

from ...core.errors import DataError, list_some
from ...evaluation import (
    CameraSpaceMetric,
    FoundPerson,
    Protocol,
    SequenceMetric,
    WorldSpaceMetric,
    matched_samples,
)
from ...evaluation.matched_samples import MIN_OVERLAP
from ...export import read_result
from ...export.readers import StoredMotion
from .found_people import found_people
from .labelled_videos import LabelledPerson, LabelledVideos
from .result_files import result_files

PathLike = Union[str, Path]
METRICS = {'camera': CameraSpaceMetric, 'world': WorldSpaceMetric}
FPS_TOLERANCE = 0.05


@dataclass(frozen=True)
class Scores:
    """Scores of results.

    Attributes:
        results (dict[str, float]): Results named ``protocol/metric``.
        metrics (list[SequenceMetric]): The metrics, with ``per_sequence``.
        lost_videos (list[str]): Videos without a result, whose people count as lost.
    """

    results: dict[str, float]
    metrics: list[SequenceMetric]
    lost_videos: list[str]


def score_results(
    path: PathLike,
    against: PathLike,
    protocols: Optional[Sequence[str]] = None,
    sequences: Optional[Sequence[str]] = None,
    data_root: Optional[PathLike] = None,
    fps: Optional[float] = None,
    up: Optional[str] = None,
    min_overlap: float = MIN_OVERLAP,
) -> Scores:
    """Score the results of any method.

    Args:
        path (str | Path): A result as for :func:`~gvhmr_da_mm.export.read_result`, or a folder of
            results that are named as videos or sequences.
        against (str | Path): A sequence pack with labels, or a folder of published files.
        protocols (Sequence[str], optional): Their names. Defaults to None: those of the data set
            that are end to end.
        sequences (Sequence[str], optional): Score only these. Defaults to None, see
            :func:`~.result_files.result_files`.
        data_root (str | Path, optional): Data root of the body models. Defaults to None: the
            environment's.
        fps (float, optional): Frames per second of the result. Defaults to None: as stored, else
            30.
        up (str, optional): Up axis of its world. Defaults to None: that of the format.
        min_overlap (float): Least intersection over union of the boxes of one person. Defaults to
            0.5.

    Returns:
        Scores: Results by protocol and metric.

    Raises:
        ConfigError: If an option is impossible.
        MissingFilesError: If a file is missing.
        DataError: If a result lacks what a protocol scores.
    """
    labelled = LabelledVideos(against, data_root)
    files = result_files(Path(path), labelled, sequences)
    chosen = labelled.protocols(protocols)
    metrics = [METRICS[p.space](protocol=p, data_root=data_root) for p in chosen]
    for video, file in files.items():
        motions = [] if file is None else _read(file, fps, up)
        for protocol, metric in zip(chosen, metrics):
            people = labelled.people(video, protocol)
            if people:
                found = found_people(motions, people, data_root)
                metric.process(None, _samples(protocol, people, found, min_overlap, motions))
    results: dict[str, float] = {}
    metrics = [metric for metric in metrics if metric.results]
    for metric in metrics:
        results.update(metric.evaluate(len(metric.results)))
    if not results:
        raise DataError(f'{against} should hold labels of {", ".join(p.name for p in chosen)}')
    return Scores(results, metrics, [video for video, file in files.items() if file is None])


def _read(file: Path, fps: Optional[float], up: Optional[str]) -> list[StoredMotion]:
    motions = read_result(file, fps, up)
    rate, wanted = motions[0].fps, Protocol.fps
    if abs(rate - wanted) > FPS_TOLERANCE:
        raise DataError(
            f'{file} should have {wanted} frames per second, as the labels, got {rate:g}: resample '
            'it, or name the rate that its frames really have'
        )
    return motions


def _samples(
    protocol: Protocol,
    people: Sequence[LabelledPerson],
    found: Sequence[FoundPerson],
    min_overlap: float,
    motions: Sequence[StoredMotion],
) -> list[dict[str, Any]]:
    """Return the labelled samples with the predictions that lie on them."""
    for person, motion in zip(found, motions):
        if f'transl_{protocol.space[0]}' not in person.fields:
            raise DataError(
                f'{motion.path} has no motion in the {protocol.space}, which protocol '
                f'{protocol.name} scores: choose another protocol'
            )
    samples = [dict(person.sample, dataset=protocol.dataset) for person in people]
    matched = matched_samples(samples, [p.boxes for p in people], found, min_overlap)
    for sample in [] if protocol.end_to_end else matched:
        there, mask = sample['pred_instances']['matched'], sample['gt_instances']['mask']
        if not there[mask].all():
            share = 100 * float(there[mask].float().mean())
            raise DataError(
                f'protocol {protocol.name} scores every labelled frame, but the result covers '
                f'{share:.1f} % of those of {list_some([sample["sequence"]])}: choose '
                f'{protocol.name}_e2e'
            )
    return matched
