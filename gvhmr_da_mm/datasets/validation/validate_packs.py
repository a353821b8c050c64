"""Run all checks on all sequences of the packs of a folder."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Optional, Union

import torch

from ...core.checks import check_at_least
from ...core.errors import ConfigError, MissingFilesError
from . import sequence as sequences
from .checks import CHECKS
from .finding import ERROR, WARNING, Finding
from .layouts import LAYOUTS, PackLayout, SequenceName

CHUNK = 8
"""Sequences that a worker process gets at once."""


@dataclass
class SequenceReport:
    """What was found in a sequence.

    Attributes:
        dataset (str): Name of the format.
        part (str): Part of the dataset, such as ``train``.
        sequence (str): Its name; empty for findings in whole files.
        frames (int | None): Its length, if that is known.
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


def find_layouts(path: Union[str, Path], dataset: Optional[str] = None) -> list[PackLayout]:
    """Return the formats that are at a path.

    Args:
        path (str | Path): A data root, the folder of a pack, or one of its files.
        dataset (str, optional): Only this one. Defaults to None: all that are there.

    Raises:
        MissingFilesError: If there is no such path.
        ConfigError: If there is no pack of a known format, or not the wanted one.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise MissingFilesError(f'{path} does not exist; give a data root, or a file of a pack')
    if dataset is not None and dataset not in LAYOUTS:
        raise ConfigError(f'`dataset` should be one of {tuple(LAYOUTS)}, got {dataset!r}')
    wanted = [LAYOUTS[dataset]] if dataset else list(LAYOUTS.values())
    found = [layout(folder) for layout in wanted for folder in layout.folders(path)]
    if not found:
        known = '\n'.join(
            f'  - {kind.name}: {kind.subfolder}/ with {" or ".join(kind.files)}' for kind in wanted
        )
        raise ConfigError(f'there is no known pack in {path.absolute()}. Looked for\n{known}')
    return found


def check_sequence(layout: PackLayout, name: SequenceName) -> SequenceReport:
    """Run all checks on one sequence."""
    sequence = layout.read(name)
    findings = list(sequence.findings)
    for check, function in CHECKS.items():
        findings += [replace(finding, check=check) for finding in function(sequence)]
    return SequenceReport(
        layout.title, name.part, name.name, sequence.frames, findings, _digest(sequence)
    )


def _digest(sequence: sequences.Sequence) -> str:
    """Return a digest of what two different videos never share."""
    digest = blake2b(digest_size=16)
    read = [found.value for found in (sequence.get('features'), sequence.get('boxes')) if found]
    for tensor in read:
        digest.update(tensor[:: max(len(tensor) // 8, 1)].double().numpy().tobytes())
    return digest.hexdigest() if read else ''


def validate_layout(
    layout: PackLayout, limit: Optional[int] = None, jobs: int = 1
) -> tuple[int, Iterator[SequenceReport]]:
    """Check a pack, one sequence at a time.

    Args:
        layout (PackLayout): The pack.
        limit (int, optional): Check so many sequences at most. Defaults to None: all.
        jobs (int): Processes. Defaults to 1: this one.

    Returns:
        tuple[int, Iterator[SequenceReport]]: How many sequences will be checked; and the reports,
        with one of the files themselves in the end.

    Raises:
        ConfigError: If ``limit`` or ``jobs`` is below 1.
    """
    check_at_least(1, jobs=jobs, limit=limit)
    names = layout.sequences()
    between = list(layout.findings_between(names))
    names = names[:limit]
    return len(names), _reports(layout, names, between, jobs)


def _reports(
    layout: PackLayout, names: list[SequenceName], between: list[Finding], jobs: int
) -> Iterator[SequenceReport]:
    copies: dict[str, SequenceReport] = {}
    whole = SequenceReport(layout.title, '', '', findings=between)
    for report in _run(layout, names, jobs):
        first = copies.setdefault(report.content, report) if report.content else report
        if first is not report:
            message = f'has boxes and features of sequence {first.sequence!r}'
            report.findings.append(Finding(WARNING, message, str(layout.folder), '', 'duplicate'))
        yield report
    if not names:
        message = 'there is no sequence to check'
        whole.findings.append(Finding(ERROR, message, str(layout.folder), '', 'empty'))
    # Some files are only opened by the first sequence that needs them.
    whole.findings += layout.file_findings
    yield whole


def _run(layout: PackLayout, names: list[SequenceName], jobs: int) -> Iterator[SequenceReport]:
    if jobs == 1 or len(names) <= CHUNK:
        yield from (check_sequence(layout, name) for name in names)
        return
    if names:  # Opens the shared files here too, so that what is wrong with them is noted.
        yield check_sequence(layout, names[0])
    tasks = [(type(layout), layout.folder, name) for name in names[1:]]
    # A fork could copy locks that threads of torch hold.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(jobs, context, initializer=torch.set_num_threads, initargs=(1,)) as p:
        yield from p.map(_check_in_worker, tasks, chunksize=CHUNK)


_OPEN: dict[tuple[type, Path], PackLayout] = {}


def _check_in_worker(task: tuple[type, Path, SequenceName]) -> SequenceReport:
    kind, folder, name = task
    if (kind, folder) not in _OPEN:
        _OPEN[kind, folder] = kind(folder)
    return check_sequence(_OPEN[kind, folder], name)


def summarize(reports: Sequence[SequenceReport]) -> dict[str, int]:
    """Count sequences, frames, errors and warnings of reports."""
    return dict(
        sequences=sum(bool(report.sequence) for report in reports),
        frames=sum(report.frames or 0 for report in reports),
        errors=sum(report.count(ERROR) for report in reports),
        warnings=sum(report.count(WARNING) for report in reports),
    )
