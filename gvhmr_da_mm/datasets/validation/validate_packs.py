"""Run of all checks on all sequences of a folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Optional, Union

from ...core.checks import check_at_least
from ...core.errors import ConfigError, MissingFilesError
from ...executors import check_executor, run_tasks
from ..packs.pack_index import INDEX_FILE
from ..sources import PUBLISHED_SOURCES, SequenceInfo
from . import sequence as sequences
from .checks import CHECKS
from .finding import ERROR, WARNING, Finding
from .folder import DataFolder
from .pack_folder import PACK, SUBFOLDER, PackFolder
from .published_folder import PublishedFolder

MIN_PARALLEL = 8
"""Sequences up to which starting processes takes longer than the checks."""


@dataclass
class SequenceReport:
    """Findings in a sequence.

    Attributes:
        dataset (str): Name of the format.
        part (str): Part of the dataset, such as ``train``.
        sequence (str): Its name; empty for findings in whole files.
        frames (int | None): Its length, if known.
        findings (list[Finding]): Errors and warnings.
        content (str): Digest of boxes and features, to find copies; empty if there are none.
    """

    dataset: str
    part: str
    sequence: str
    frames: Optional[int] = None
    findings: list[Finding] = field(default_factory=list)
    content: str = ''

    def count(self, severity: str) -> int:
        """Return the number of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)


def dataset_names() -> tuple[str, ...]:
    """Return the names that ``dataset`` of :func:`find_folders` may have."""
    return (*PUBLISHED_SOURCES, PACK)


def find_folders(path: Union[str, Path], dataset: Optional[str] = None) -> list[DataFolder]:
    """Find the data sets at a path.

    Args:
        path (str | Path): A data root, the folder of a data set, or one of its files.
        dataset (str, optional): Only this one. Defaults to None: all that are there.

    Raises:
        MissingFilesError: If the path does not exist.
        ConfigError: If there is no data set of a known layout, or not the requested one.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise MissingFilesError(f'{path} does not exist; give a data root, or a file of a pack')
    if dataset not in (None, *dataset_names()):
        raise ConfigError(f'`dataset` should be one of {dataset_names()}, got {dataset!r}')
    found: list[DataFolder] = []
    known = []
    for name, kind in PUBLISHED_SOURCES.items():
        if dataset in (None, name):
            found += [PublishedFolder(f, kind) for f in PublishedFolder.folders(kind, path)]
            marks = ' or '.join(PublishedFolder.marks(kind))
            known.append(f'  - {name}: {kind.subfolder}/ with {marks}')
    if dataset in (None, PACK):
        found += map(PackFolder, PackFolder.folders(path))
        known.append(f'  - {PACK}: {SUBFOLDER}/NAME/ with {INDEX_FILE}')
    if not found:
        looked = '\n'.join(known)
        raise ConfigError(f'there is no known pack in {path.absolute()}. Looked for\n{looked}')
    return found


def check_sequence(folder: DataFolder, info: SequenceInfo) -> SequenceReport:
    """Run all checks on one sequence."""
    sequence = folder.read(info)
    findings = list(sequence.findings)
    for check, function in CHECKS.items():
        findings += [replace(finding, check=check) for finding in function(sequence)]
    return SequenceReport(
        folder.title, sequence.part, sequence.name, sequence.frames, findings, _digest(sequence)
    )


def _digest(sequence: sequences.Sequence) -> str:
    """Return a digest of features and boxes, in which two videos always differ."""
    digest = blake2b(digest_size=16)
    read = [found.value for found in (sequence.get('features'), sequence.get('boxes')) if found]
    for tensor in read:
        digest.update(tensor[:: max(len(tensor) // 8, 1)].double().numpy().tobytes())
    return digest.hexdigest() if read else ''


def validate_folder(
    folder: DataFolder, limit: Optional[int] = None, jobs: int = 1, executor: str = 'processes'
) -> tuple[int, Iterator[SequenceReport]]:
    """Check a data set, one sequence at a time.

    Args:
        folder (DataFolder): The data set.
        limit (int, optional): Largest number of sequences. Defaults to None: all.
        jobs (int): Processes. Defaults to 1: this one.
        executor (str): As :func:`~gvhmr_da_mm.executors.check_executor` takes it. Defaults to
            ``processes``.

    Returns:
        tuple[int, Iterator[SequenceReport]]: Number of sequences, and their reports; the last
        report is of the files.

    Raises:
        ConfigError: If ``limit`` or ``jobs`` is below 1, or ``executor`` is invalid.
    """
    check_executor(executor, jobs)
    check_at_least(1, limit=limit)
    infos = folder.sequences()
    between = list(folder.findings_between(infos))
    infos = infos[:limit]
    return len(infos), _reports(folder, infos, between, jobs, executor)


def _reports(
    folder: DataFolder,
    infos: Sequence[SequenceInfo],
    between: list[Finding],
    jobs: int,
    executor: str,
) -> Iterator[SequenceReport]:
    copies: dict[str, SequenceReport] = {}
    whole = SequenceReport(folder.title, '', '', findings=between)
    for report in _run(folder, infos, jobs, executor):
        first = copies.setdefault(report.content, report) if report.content else report
        if first is not report:
            message = f'has boxes and features of sequence {first.sequence!r}'
            report.findings.append(Finding(WARNING, message, str(folder.folder), '', 'duplicate'))
        yield report
    if not infos:
        message = 'there is no sequence to check'
        whole.findings.append(Finding(ERROR, message, str(folder.folder), '', 'empty'))
    # Some files are not opened before the first sequence that needs them.
    whole.findings += folder.file_findings
    yield whole


def _run(
    folder: DataFolder, infos: Sequence[SequenceInfo], jobs: int, executor: str
) -> Iterator[SequenceReport]:
    in_this_process = executor == 'processes' and jobs == 1
    if in_this_process or len(infos) <= MIN_PARALLEL:
        yield from (check_sequence(folder, info) for info in infos)
        return
    # Opens the shared files in this process, for their findings.
    yield check_sequence(folder, infos[0])
    # Copies are told in the order of the sequences.
    ready: dict[int, SequenceReport] = {}
    following = 1
    tasks = range(following, len(infos))
    for number, report in run_tasks(_check_number, (folder, infos), tasks, jobs, executor):
        ready[number] = report
        while following in ready:
            yield ready.pop(following)
            following += 1


def _check_number(work: tuple[DataFolder, Sequence[SequenceInfo]], number: int) -> SequenceReport:
    folder, infos = work
    return check_sequence(folder, infos[number])


def summarize(reports: Sequence[SequenceReport]) -> dict[str, int]:
    """Count sequences, frames, errors and warnings of reports."""
    return dict(
        sequences=sum(bool(report.sequence) for report in reports),
        frames=sum(report.frames or 0 for report in reports),
        errors=sum(report.count(ERROR) for report in reports),
        warnings=sum(report.count(WARNING) for report in reports),
    )
