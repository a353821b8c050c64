"""Conversion of a source to a sequence pack: parallel, resumable, skipping failures."""

import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Optional, Union

import torch

from ...core.checks import check_at_least
from ...core.errors import ConfigError, GVHMRError, StorageError
from ..packs import PackEntry, PackWriter, write_sequence
from ..packs.pack_schema import LABELS
from ..packs.pack_writer import storage_errors
from .source import Failure, SequenceInfo, Source

FAILURES_FILE = 'failures.json'
_SEQUENCES_PER_TASK = 16
Outcome = Union[PackEntry, Failure]


@dataclass
class ConversionReport:
    """Result of a conversion.

    Args:
        planned (int): Sequences of the source, after ``limit``.
        skipped (int): Sequences that were written before.
        written (int): Sequences that were written now.
        failures (list[Failure]): Sequences and files that could not be converted.
    """

    planned: int
    skipped: int = 0
    written: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 if all sequences are written, else 1."""
        return 1 if self.failures else 0


def write_pack(
    source: Source,
    root: Path,
    with_labels: bool = True,
    jobs: int = 1,
    limit: Optional[int] = None,
    dry_run: bool = False,
    start: Callable[[int], None] = lambda total: None,
    advance: Callable[[str], None] = lambda name: None,
) -> ConversionReport:
    """Convert all sequences that are not yet in the pack.

    Failed sequences are listed in ``failures.json`` of the pack and tried again by the next call.

    Args:
        source (Source): What to convert.
        root (Path): Folder of the pack.
        with_labels (bool): Whether 3D labels and their masks go into the pack. Defaults to True.
        jobs (int): Processes. Defaults to 1: this one.
        limit (int, optional): Number of sequences to convert. Defaults to None: all.
        dry_run (bool): Report the plan without writing. Defaults to False.
        start (Callable): Called with the number of sequences to convert.
        advance (Callable): Called with the id of each sequence afterwards.

    Returns:
        ConversionReport: The result.

    Raises:
        ConfigError: If an argument is invalid, or a process was killed.
        StorageError: If the disk is full or write-protected; written sequences are kept.
        GVHMRError: If the source is not of the expected layout.
    """
    check_at_least(1, jobs=jobs, limit=limit)
    if not dry_run:
        _check_writable(root)
    source.failures.clear()
    infos = source.sequences()[:limit]
    known: dict[str, SequenceInfo] = {}
    for info in infos:
        other = known.setdefault(info.id, info)
        if other is not info:
            raise ConfigError(
                f'{source.title}: {other.file} and {info.file} would both be the sequence '
                f'{info.id!r}: rename one, or leave it out'
            )
    report = ConversionReport(len(infos), failures=list(source.failures))
    if dry_run:
        start(len(infos))
        return report
    signed = list(_with_signatures(source, infos, with_labels, report.failures))
    with PackWriter(root, source.dataset, source.domain, source.title) as writer:
        todo = [info for info in signed if not writer.is_done(info.id, info.signature)]
        report.skipped = len(signed) - len(todo)
        start(len(todo))
        try:
            for outcome in _outcomes(source, writer.root, todo, with_labels, jobs):
                if isinstance(outcome, Failure):
                    report.failures.append(outcome)
                else:
                    writer.record(outcome)
                    report.written += 1
                advance(outcome.id)
        finally:
            _write_failures(writer.root, report.failures)
        writer.finish([info.id for info in infos])
    return report


def _with_signatures(
    source: Source, infos: list[SequenceInfo], with_labels: bool, failures: list[Failure]
) -> Iterator[SequenceInfo]:
    for info in infos:
        try:
            signature = source.signature(info) + ('' if with_labels else '-unlabelled')
            yield replace(info, signature=signature)
        except GVHMRError as error:
            failures.append(Failure.of(info.id, info.file, error))


def _check_writable(root: Path) -> None:
    """Try to write first, as listing a large data set takes long."""
    root = root.expanduser()
    probe, is_new = root / '.write-test', not root.exists()
    with storage_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
        if is_new:  # leave no empty folder behind if nothing is converted
            root.rmdir()


def _write_failures(root: Path, failures: list[Failure]) -> None:
    path = root / FAILURES_FILE
    with storage_errors(root):
        if failures:
            path.write_text(json.dumps([asdict(failure) for failure in failures], indent=1) + '\n')
        else:
            path.unlink(missing_ok=True)


def _outcomes(
    source: Source, root: Path, infos: list[SequenceInfo], with_labels: bool, jobs: int
) -> Iterator[Outcome]:
    if jobs == 1 or len(infos) < 2:
        for info in infos:
            yield _convert(source, root, info, with_labels)
        return
    # A fork could copy locks that threads of torch hold.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(jobs, context, torch.set_num_threads, (1,)) as pool:
        chunks = _chunks(infos)
        running = set()
        try:
            while True:
                # Few at once, so that results do not pile up and a full disk stops the work.
                for chunk in chunks:
                    running.add(pool.submit(_convert_chunk, source, root, chunk, with_labels))
                    if len(running) > 2 * jobs:
                        break
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield from future.result()
        except BrokenProcessPool as error:
            raise ConfigError(
                'a process was killed, most likely because memory ran out: run again with '
                'fewer `--jobs`; written sequences are kept'
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _chunks(infos: list[SequenceInfo]) -> Iterator[list[SequenceInfo]]:
    for _, group in groupby(infos, key=lambda info: info.file):
        same = list(group)
        yield from (
            same[first : first + _SEQUENCES_PER_TASK]
            for first in range(0, len(same), _SEQUENCES_PER_TASK)
        )


def _convert_chunk(
    source: Source, root: Path, infos: list[SequenceInfo], with_labels: bool
) -> list[Outcome]:
    return [_convert(source, root, info, with_labels) for info in infos]


def _convert(source: Source, root: Path, info: SequenceInfo, with_labels: bool) -> Outcome:
    try:
        arrays, meta = source.read(info)
        if not with_labels:
            arrays = {name: array for name, array in arrays.items() if name not in LABELS}
        return write_sequence(root, info.id, arrays, {**meta, 'signature': info.signature})
    except StorageError:
        raise
    except Exception as error:  # one bad sequence must not end the conversion of thousands
        return Failure.of(info.id, info.file, error)
