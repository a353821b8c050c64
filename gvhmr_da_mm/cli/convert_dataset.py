"""Progress and final report of the dataset converters."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..datasets.sources import Source
from ..datasets.sources.write_pack import FAILURES_FILE, ConversionReport, write_pack

_MAX_LISTED_FAILURES = 5


def convert_dataset(source: Source, out: Path, args: argparse.Namespace) -> int:
    """Write a source as a sequence pack, with the options of the command line.

    Args:
        source (Source): What to convert.
        out (Path): Folder of the pack.
        args (Namespace): Of ``convert.py``.

    Returns:
        int: Exit status: 0 if all is done, 1 if something failed.
    """
    console = Console(markup=False)
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn('{task.fields[name]}', markup=False),
    )
    try:
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(source.dataset, total=None, name='')
            report = write_pack(
                source,
                out,
                with_labels=not args.no_labels,
                jobs=args.jobs,
                executor=args.executor,
                limit=args.limit,
                dry_run=args.dry_run,
                start=lambda total: bar.update(task, total=total),
                advance=lambda name: bar.update(task, advance=1, name=name[-40:]),
            )
    except KeyboardInterrupt:
        console.print('Interrupted: run the same command again to continue.')
        return 1
    _print_report(console, source, out, report, args.dry_run)
    return report.exit_code


def _print_report(
    console: Console, source: Source, out: Path, report: ConversionReport, dry_run: bool
) -> None:
    if dry_run:
        console.print(f'{source.dataset}: {report.planned} sequences would be in {out}')
    else:
        console.print(
            f'{source.dataset}: {report.written} sequences written, {report.skipped} done '
            f'before, {len(report.failures)} failed; in {out}',
            soft_wrap=True,
        )
    for failure in report.failures[:_MAX_LISTED_FAILURES]:
        console.print(f'  {failure.id or failure.source}: {failure.message}', soft_wrap=True)
    if report.failures and not dry_run:
        console.print(
            f'All failures: {out / FAILURES_FILE}. Run again to retry them.', soft_wrap=True
        )
