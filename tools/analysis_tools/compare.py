"""Compare two results sequence by sequence, with a confidence interval for each metric.

The interval is that of a paired bootstrap over sequences. Smaller is better, except coverage.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.core.errors import ConfigError

if TYPE_CHECKING:
    from gvhmr_da_mm.evaluation.compare_results import MetricChange

COLOURS = {'better': 'green', 'worse': 'red', 'unclear': ''}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('before', help='results.json of the first run')
    parser.add_argument('after', help='results.json of the second run')
    parser.add_argument('--metric', help='list the sequences of this metric only, e.g. pa_mpjpe')
    parser.add_argument(
        '--top',
        type=int,
        default=5,
        help='most improved and most degraded sequences listed per metric',
    )
    parser.add_argument('--level', type=float, help='of the interval, 0 to 1')
    parser.add_argument('--resamples', type=int, help='of the bootstrap')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    # After the command line was read: PyTorch takes seconds to import.
    from gvhmr_da_mm.evaluation.compare_results import CONFIDENCE_LEVEL, NUM_RESAMPLES
    from gvhmr_da_mm.evaluation.report import METRIC_LABELS, metric_label

    if args.level is None:
        args.level = CONFIDENCE_LEVEL
    if args.resamples is None:
        args.resamples = NUM_RESAMPLES
    if args.metric is not None and metric_label(args.metric) is None:
        parser.error(f'--metric should be one of {", ".join(METRIC_LABELS)}, got {args.metric}')
    return args


def summary(changes: tuple[MetricChange, ...], level: float) -> Table:
    """Return a table with a row for each metric."""
    from gvhmr_da_mm.evaluation.report import metric_label

    table = Table(title='Smaller is better, except coverage; means over the common sequences')
    table.add_column('Metric', overflow='fold')
    headings = ('Before', 'After', 'Change', f'{100 * level:g} % interval', 'Better/worse/same')
    for heading in headings:
        table.add_column(heading, justify='right', no_wrap=heading != headings[-1])
    table.add_column('Verdict')
    for change in changes:
        label, unit = metric_label(change.metric)
        bounds = change.interval
        colour = COLOURS[change.verdict]
        table.add_row(
            f'{change.protocol} {label} ({unit})',
            f'{change.before:.2f}',
            f'{change.after:.2f}',
            f'{change.difference:+.2f}',
            '–' if bounds is None else f'{bounds[0]:+.2f} to {bounds[1]:+.2f}',
            '/'.join(map(str, change.count())),
            f'[{colour}]{change.verdict}[/]' if colour else change.verdict,
        )
    return table


def sequences(changes: tuple[MetricChange, ...], top: int) -> Table:
    """Return a table of the sequences that changed most, improved ones first."""
    from gvhmr_da_mm.evaluation.report import metric_label

    table = Table(title='Sequences')
    for heading in ('Metric', 'Sequence'):
        table.add_column(heading, overflow='fold')
    for heading in ('Frames', 'Before', 'After', 'Change'):
        table.add_column(heading, justify='right')
    for change in changes:
        label, unit = metric_label(change.metric)
        found = change.sequences
        shown = found if len(found) <= 2 * top else (*found[:top], None, *found[-top:])
        name = f'{change.protocol} {label} ({unit})'
        for entry in shown:
            if entry is None:
                table.add_row('', f'... {len(found) - 2 * top} more', '', '', '', '')
                continue
            worse = entry.difference > 0 if not change.larger_is_better else entry.difference < 0
            colour = ('red' if worse else 'green') if entry.difference else None
            text = f'{entry.difference:+.2f}'
            table.add_row(
                name,
                escape(entry.sequence),
                str(entry.frames),
                f'{entry.before:.2f}',
                f'{entry.after:.2f}',
                f'[{colour}]{text}[/]' if colour else text,
            )
            name = ''
        table.add_section()
    return table


@report_errors
def main() -> None:
    """Read both results and print the tables."""
    args = parse_args()
    from gvhmr_da_mm.evaluation.compare_results import (
        compare_results,
        protocol_notes,
        read_per_sequence,
    )

    for name, value, low in (('--resamples', args.resamples, 1), ('--top', args.top, 0)):
        if value < low:
            raise ConfigError(f'`{name}` should be at least {low}, got {value}')
    if not 0 < args.level < 1:
        raise ConfigError(f'`--level` should be between 0 and 1, got {args.level}')
    before, after = read_per_sequence(args.before), read_per_sequence(args.after)
    compared = compare_results(before, after, args.level, args.resamples, args.seed)
    console = Console()
    console.print(summary(compared.metrics, args.level))
    chosen = tuple(c for c in compared.metrics if args.metric in (None, c.metric))
    if args.top and chosen:
        console.print(sequences(chosen, args.top))
    for note in (*compared.notes, *protocol_notes(args.before, args.after)):
        console.print(f'Note: {note}', soft_wrap=True, markup=False)


if __name__ == '__main__':
    main()
