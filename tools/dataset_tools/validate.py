"""Validate packs: missing, damaged, impossible or unusual data of each sequence."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from gvhmr_da_mm.cli.command_line import add_executor_arguments, report_errors

if TYPE_CHECKING:
    from gvhmr_da_mm.datasets.validation import SequenceReport

ERRORS_FOUND_STATUS = 1


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='Exit code: 0 without errors, 1 with some, 2 for a wrong call.'
    )
    parser.add_argument('path', help='a data root, the folder of a pack, or one of its files')
    parser.add_argument('--dataset', help='only this one, such as emdb; default: all')
    parser.add_argument('--out', metavar='FILE.json', help='write the report to a file as well')
    parser.add_argument('--limit', type=int, help='check so many sequences of each dataset')
    add_executor_arguments(parser)
    parser.add_argument('--lines', type=int, default=50, help='findings to print; all are in --out')
    return parser.parse_args()


def overview(reports: dict[str, list[SequenceReport]]) -> Table:
    """Return a table with a row for each dataset."""
    from gvhmr_da_mm.datasets.validation import summarize

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


def print_findings(console: Console, reports: dict[str, list[SequenceReport]], lines: int) -> None:
    """Print findings, errors first, up to a number of lines."""
    from gvhmr_da_mm.datasets.validation import ERROR, WARNING

    colours = {ERROR: 'red', WARNING: 'yellow'}
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
        colour = colours[finding.severity]
        text = f'{escape(where)}: {escape(finding.message)}\n  {escape(finding.file + key)}'
        title = f'[{colour}]{finding.severity}[/{colour}] {finding.check}'
        console.print(f'{title} {text}', soft_wrap=True, highlight=False)
    if len(found) > lines:
        console.print(f'... and {len(found) - lines} more: see --out, or raise --lines')


def as_dict(path: str, reports: dict[str, list[SequenceReport]]) -> dict:
    """Return the report for a JSON file."""
    from gvhmr_da_mm.datasets.validation import summarize

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


@report_errors
def main() -> None:
    """Check the packs, print and write the findings, and set the exit code."""
    args = parse_args()
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.datasets.validation import find_folders, summarize, validate_folder

    console = Console()
    reports: dict[str, list[SequenceReport]] = {}
    for folder in find_folders(args.path, args.dataset):
        total, found = validate_folder(folder, args.limit, args.jobs, args.executor)
        reports[folder.title] = list(
            track(found, folder.title, total + 1, console=console, transient=True)
        )
    console.print(overview(reports))
    print_findings(console, reports, args.lines)
    if args.out:
        out = Path(args.out)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(as_dict(args.path, reports), indent=2) + '\n')
        console.print(f'Written: {out}', soft_wrap=True, markup=False)
    if any(summarize(found)['errors'] for found in reports.values()):
        sys.exit(ERRORS_FOUND_STATUS)


if __name__ == '__main__':
    main()
