"""Conversion of a source to a sequence pack: parallel, resumable, skipping failures."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Optional, Union

from ...core.checks import check_at_least
from ...core.errors import ConfigError, GVHMRError, StorageError
from ...executors import check_executor, run_tasks
from ...registry.arguments import checks_flags
from ..packs import PackEntry, PackWriter, write_sequence
from ..packs.pack_schema import LABELS
from ..packs.pack_writer import storage_errors
from .source import Failure, SequenceInfo, Source

FAILURES_FILE = 'failures.json'
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


@checks_flags
def write_pack(
    source: Source,
    root: Path,
    with_labels: bool = True,
    jobs: int = 1,
    executor: str = 'processes',
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
        executor (str): As :func:`~gvhmr_da_mm.executors.check_executor` takes it. Defaults to
            ``processes``.
        limit (int, optional): Number of sequences to convert. Defaults to None: all.
        dry_run (bool): Report the plan without writing. Defaults to False.
        start (Callable): Called with the number of sequences to convert.
        advance (Callable): Called with the id of each sequence afterwards.

    Returns:
        ConversionReport: The result.

    Raises:
        ConfigError: If an argument is invalid, a process was killed, or the cluster was lost.
        StorageError: If the disk is full or write-protected; written sequences are kept.
        GVHMRError: If the source is not of the expected layout.
    """
    check_executor(executor, jobs)
    check_at_least(1, limit=limit)
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
            work = (source, writer.root, with_labels)
            for _, outcome in run_tasks(_convert, work, todo, jobs, executor, _failure):
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


def _convert(work: tuple[Source, Path, bool], info: SequenceInfo) -> Outcome:
    source, root, with_labels = work
    try:
        arrays, meta = source.read(info)
        if not with_labels:
            arrays = {name: array for name, array in arrays.items() if name not in LABELS}
        return write_sequence(root, info.id, arrays, {**meta, 'signature': info.signature})
    except StorageError:
        raise
    except Exception as error:  # one bad sequence must not end the conversion of thousands
        return _failure(info, error)


def _failure(info: SequenceInfo, error: Exception) -> Failure:
    return Failure.of(info.id, info.file, error)
