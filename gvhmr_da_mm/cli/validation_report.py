"""What is wrong with packs: tables and a file."""

import argparse
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from ..datasets.validation import (
    ERROR,
    WARNING,
    SequenceReport,
    find_folders,
    summarize,
    validate_folder,
)

_ERRORS_FOUND_STATUS = 1
_COLOURS = {ERROR: 'red', WARNING: 'yellow'}


def report_validation(args: argparse.Namespace) -> int:
    """Check the packs, print and write the findings.

    Args:
        args (Namespace): Of ``analyze_dataset.py validate``.

    Returns:
        int: Exit status: 0 without errors, 1 with some.
    """
    console = Console()
    reports: dict[str, list[SequenceReport]] = {}
    for folder in find_folders(args.path, args.dataset):
        total, found = validate_folder(folder, args.limit, args.jobs, args.executor)
        reports[folder.title] = list(
            track(found, folder.title, total + 1, console=console, transient=True)
        )
    console.print(_overview(reports))
    _print_findings(console, reports, args.lines)
    if args.out:
        out = Path(args.out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(_as_dict(args.path, reports), indent=2) + '\n')
        console.print(f'Written: {out}', soft_wrap=True, markup=False)
    failed = any(summarize(found)['errors'] for found in reports.values())
    return _ERRORS_FOUND_STATUS if failed else 0


def _overview(reports: dict[str, list[SequenceReport]]) -> Table:
    """Return a table with a row for each dataset."""
    table = Table(title='Packs')
    table.add_column('dataset')
    for name in ('sequences', 'frames', 'errors', 'warnings'):
        table.add_column(name, justify='right')
    table.add_column('findings by check')
    for dataset, found in reports.items():
        counts = Counter(finding.check for report in found for finding in report.findings)
        checks = ', '.join(f'{check} {count}' for check, count in counts.most_common())
        numbers = summarize(found)
        table.add_row(dataset, *map(str, numbers.values()), checks or 'none')
    return table


def _print_findings(console: Console, reports: dict[str, list[SequenceReport]], lines: int) -> None:
    """Print findings, errors first, up to a number of lines."""
    found = [
        (report, finding)
        for dataset_reports in reports.values()
        for report in dataset_reports
        for finding in report.findings
    ]
    found.sort(key=lambda pair: pair[1].severity != ERROR)
    for report, finding in found[:lines]:
        where = ' '.join(filter(None, (report.dataset, report.part, report.sequence)))
        key = f', key {finding.key}' if finding.key else ''
        colour = _COLOURS[finding.severity]
        text = f'{escape(where)}: {escape(finding.message)}\n  {escape(finding.file + key)}'
        title = f'[{colour}]{finding.severity}[/{colour}] {finding.check}'
        console.print(f'{title} {text}', soft_wrap=True, highlight=False)
    if len(found) > lines:
        console.print(f'... and {len(found) - lines} more: see --out, or raise --lines')


def _as_dict(path: str, reports: dict[str, list[SequenceReport]]) -> dict:
    """Return the report for a JSON file."""
    return dict(
        version=1,
        path=str(Path(path).absolute()),
        datasets={
            dataset: dict(
                **summarize(found),
                reports=[
                    dict(
                        part=report.part,
                        sequence=report.sequence,
                        frames=report.frames,
                        findings=[asdict(finding) for finding in report.findings],
                    )
                    for report in found
                ],
            )
            for dataset, found in reports.items()
        },
    )
