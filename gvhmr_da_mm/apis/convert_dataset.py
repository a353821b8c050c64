"""What the dataset converters share: options, progress, and what is said at the end."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..datasets.converters import ConversionReport, Converter, run_conversion
from ..datasets.converters.run_conversion import FAILURES

_MOST_SHOWN = 5


def add_converter_arguments(parser: argparse.ArgumentParser, features: str = '') -> None:
    """Add the options that every converter has.

    Args:
        parser (ArgumentParser): Gets them.
        features (str): What a feature file is called, where the converter takes some. Defaults to
            ''.
    """
    parser.add_argument('out', metavar='OUT', type=Path, help='folder of the pack')
    if features:
        parser.add_argument(
            '--features', metavar='DIR', type=Path, help=f'extracted features: DIR/{features}'
        )
    parser.add_argument('--jobs', type=int, default=1, help='processes (default: 1)')
    parser.add_argument('--limit', type=int, help='only the first so many sequences')
    parser.add_argument('--dry-run', action='store_true', help='tell what there is; write nothing')
    parser.add_argument(
        '--no-labels', action='store_true', help='leave 3D labels and their masks out'
    )


def convert_dataset(converter: Converter, out: Path, args: argparse.Namespace) -> int:
    """Run a converter with the options of the command line.

    Args:
        converter (Converter): What to convert.
        out (Path): Folder of the pack.
        args (Namespace): Of :func:`add_converter_arguments`.

    Returns:
        int: Exit status: 0 if all is done, 1 if something failed.
    """
    console = Console(markup=False)
    converter.with_labels = not args.no_labels
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn('{task.fields[name]}', markup=False),
    )
    try:
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(converter.dataset, total=None, name='')
            report = run_conversion(
                converter,
                out,
                jobs=args.jobs,
                limit=args.limit,
                dry_run=args.dry_run,
                start=lambda total: bar.update(task, total=total),
                advance=lambda name: bar.update(task, advance=1, name=name[-40:]),
            )
    except KeyboardInterrupt:
        console.print('Interrupted: run the same command again, it continues.')
        return 1
    _tell(console, converter, out, report, args.dry_run)
    return report.exit_code


def _tell(
    console: Console, converter: Converter, out: Path, report: ConversionReport, dry_run: bool
) -> None:
    if dry_run:
        console.print(f'{converter.dataset}: {report.planned} sequences would be in {out}')
    else:
        console.print(
            f'{converter.dataset}: {report.written} sequences written, {report.skipped} done '
            f'before, {len(report.failures)} failed; in {out}',
            soft_wrap=True,
        )
    for failure in report.failures[:_MOST_SHOWN]:
        console.print(f'  {failure.id or failure.source}: {failure.message}', soft_wrap=True)
    if report.failures and not dry_run:
        console.print(f'All failures: {out / FAILURES}. Run again to retry them.', soft_wrap=True)
