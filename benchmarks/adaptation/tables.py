"""Tables of the results in Markdown and CSV."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from benchmarks.adaptation.methods import Method, refined_tests
from benchmarks.adaptation.summary import ORACLE, SOURCE
from gvhmr_da_mm.evaluation.report import METRIC_LABELS

TEST_SETS = {'emdb1': 'EMDB-1', 'emdb2': 'EMDB-2', '3dpw': '3DPW'}
HELD_OUT_SETS = {'val_emdb': 'EMDB, held-out', 'val_3dpw': '3DPW, held-out'}
GAP_METRICS = (
    *('emdb1/pa_mpjpe', '3dpw/pa_mpjpe', 'emdb2/wa_mpjpe'),
    *('emdb1/mpjpe', '3dpw/mpjpe', 'emdb2/w_mpjpe'),
)
"""Metrics whose gap between source and oracle is compared side by side."""
TRANSDUCTIVE = '†'
MIN_RELATIVE_GAP = 0.01
"""Gap between source and oracle, relative to the source, below which no share is shown."""


def write_csv(path: Path, results: Sequence[Mapping[str, Any]], methods: Sequence[Method]) -> None:
    """Write one line per method, seed and metric.

    Args:
        path (Path): The file.
        results (Sequence[Mapping]): Results of all runs.
        methods (Sequence[Method]): The methods to write.
    """
    transductive = {method.name: method.transductive for method in methods}
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['method', 'transductive', 'seed', 'metric', 'unit', 'value'])
        for result in results:
            name = result['name']
            if name not in transductive or result.get('status') != 'finished':
                continue
            for metric, value in result['metrics'].items():
                unit = METRIC_LABELS[metric.rpartition('/')[2]][1]
                number = '' if value is None else value
                writer.writerow([name, transductive[name], result['seed'], metric, unit, number])


def format_markdown(summary: Mapping[str, Any], methods: Sequence[Method]) -> str:
    """Return a summary as Markdown.

    Args:
        summary (Mapping): Content of ``summary.json``.
        methods (Sequence[Method]): The methods, in the order of the rows.
    """
    ordered = sorted(methods, key=lambda method: method.transductive)
    settings = summary['settings']
    lines = [
        '# Benchmark of adaptation',
        '',
        _settings_line(settings),
        '',
        'Mean ± deviation over the seeds; in brackets the share of the gap between `source` and',
        '`oracle` that is closed. All metrics are errors: smaller is better. Every network is',
        'tested alone and with predictions fitted to the detected keypoints and their trajectories',
        'to the feet: `_network` and `_refined` mark the test that is not the usual one of the',
        'method.',
        '',
    ]
    lines += _tables('Test clips', summary, ordered, TEST_SETS)
    if any(_metrics_of(summary, prefix) for prefix in HELD_OUT_SETS):
        title = 'Held-out training clips, for choices'
        lines += _tables(title, summary, ordered, HELD_OUT_SETS)
    if any(method.transductive for method in ordered):
        lines += [f'{TRANSDUCTIVE} transductive: adapted on the inputs of test clips, too.', '']
    retested = {method.retest for method in ordered}
    trained = [method for method in ordered if method.name not in retested]
    lines += _refined_gap(summary['methods'], trained)
    lines += _pseudo_labels(summary, trained)
    lines += _failures(summary, ordered)
    return '\n'.join(lines).rstrip() + '\n'


def _settings_line(settings: Mapping[str, Any]) -> str:
    shift = settings.get('shift')
    data = f'demo packs, shift {shift:g}' if shift is not None else 'packs given by path'
    return (
        f'{settings["seeds"]} seed(s), {settings["source_steps"]} steps on synthetic clips, then '
        f'{settings["steps"]} steps of each method; {data}.'
    )


def _tables(
    title: str, summary: Mapping[str, Any], methods: Sequence[Method], sets: Mapping[str, str]
) -> list[str]:
    """Return one table for each test set."""
    lines = [f'## {title}', '']
    for prefix, label in sets.items():
        metrics = _metrics_of(summary, prefix)
        if not metrics:
            continue
        titles = [f'{METRIC_LABELS[m][0]} ({METRIC_LABELS[m][1]})' for m in metrics]
        lines += [f'| {label} | ' + ' | '.join(titles) + ' |', '|---' * (len(metrics) + 1) + '|']
        for method in methods:
            cells = [_cell(summary['methods'], method.name, f'{prefix}/{m}') for m in metrics]
            lines.append(f'| {_label(method)} | ' + ' | '.join(cells) + ' |')
        lines.append('')
    return lines


def _metrics_of(summary: Mapping[str, Any], prefix: str) -> list[str]:
    known = {name for method in summary['methods'].values() for name in method}
    return [metric for metric in METRIC_LABELS if f'{prefix}/{metric}' in known]


def _label(method: Method) -> str:
    mark = f' {TRANSDUCTIVE}' if method.transductive else ''
    return f'`{method.name}`{mark}'


def _cell(methods: Mapping[str, Mapping], name: str, metric: str) -> str:
    statistics = methods[name].get(metric)
    if not statistics or statistics['mean'] is None:
        return '–'
    text = f'{statistics["mean"]:.1f}'
    if statistics['std'] is not None:
        text += f' ± {statistics["std"]:.1f}'
    share = methods[name]['gap_closed'].get(metric)
    if share is None or not _is_gap(methods, metric):
        return text
    return f'{text} ({100 * share:.0f} %)'


def _refined_gap(methods: Mapping[str, Mapping], trained: Sequence[Method]) -> list[str]:
    """Return the table of the gap between the refined tests of source and oracle."""
    tests = refined_tests(trained)
    ends = tests.get(SOURCE), tests.get(ORACLE)
    if not set(ends) <= set(methods):
        return []
    metrics = [m for m in GAP_METRICS if all(methods[name].get(m) for name in ends)]
    titles = [
        f'{TEST_SETS[prefix]} {METRIC_LABELS[name][0]}'
        for prefix, _, name in (metric.partition('/') for metric in metrics)
    ]
    lines = [
        '## Gap between refined source and refined oracle',
        '',
        'Share that is closed as shipped, with refinement at test time; in brackets that of each',
        'seed.',
        '',
        '| method | ' + ' | '.join(titles) + ' |',
        '|---' * (len(titles) + 1) + '|',
    ]
    for method in trained:
        cells = [_refined_cell(methods, method.name, metric, ends) for metric in metrics]
        lines.append(f'| {_label(method)} | ' + ' | '.join(cells) + ' |')
    return [*lines, '']


def _refined_cell(
    methods: Mapping[str, Mapping], name: str, metric: str, ends: Sequence[str]
) -> str:
    share = methods[name]['gap_closed_refined'].get(metric)
    if share is None or not _is_gap(methods, metric, ends):
        return '–'
    seeds = methods[name]['gap_closed_refined_per_seed'][metric]
    each = ', '.join('–' if one is None else f'{100 * one:.0f}' for one in seeds)
    return f'{100 * share:.0f} % ({each})'


def _is_gap(
    methods: Mapping[str, Mapping], metric: str, ends: Sequence[str] = (SOURCE, ORACLE)
) -> bool:
    """Return whether the gap between source and oracle is large enough for a share of it."""
    source, oracle = (methods[name][metric]['mean'] for name in ends)
    return source - oracle >= MIN_RELATIVE_GAP * source


def _pseudo_labels(summary: Mapping[str, Any], methods: Sequence[Method]) -> list[str]:
    """Return the table of the pseudo-labels and their filter."""
    lines = [
        '## Pseudo-labels',
        '',
        '| method | kept | score | AUROC | Spearman | error kept (mm) | error dropped (mm) '
        '| error upper half (mm) | error lower half (mm) |',
        '|---' * 9 + '|',
    ]
    for method in methods:
        kept = summary['methods'][method.name]['kept_ratio']
        kept_text = '–' if kept is None else f'{100 * kept:.0f} %'
        quality = summary['filters'].get(method.name)
        if not quality:
            lines.append(f'| {_label(method)} | {kept_text} |' + ' – |' * 7)
            continue
        rows = {'confidence': quality, **quality['sources']}
        for index, (name, scores) in enumerate(rows.items()):
            head = f'{_label(method)} | {kept_text}' if index == 0 else ' | '
            numbers = [
                *(_number(scores.get(n), 2) for n in ('auroc', 'spearman')),
                *(_number(scores.get(n), 1) for n in ('kept_error', 'dropped_error')),
                *(_number(scores.get(n), 1) for n in ('upper_half_error', 'lower_half_error')),
            ]
            lines.append(f'| {head} | {name} | ' + ' | '.join(numbers) + ' |')
    notes = [
        f'- `{name}`: {note}'
        for name, quality in summary['filters'].items()
        for note in quality.get('notes', [])
    ]
    return [*lines, '', *notes, *([''] if notes else [])]


def _failures(summary: Mapping[str, Any], methods: Sequence[Method]) -> list[str]:
    failed = [
        f'- `{method.name}`, seed {seed}: {error}'
        for method in methods
        for seed, error in summary['methods'][method.name]['failed'].items()
    ]
    return ['## Failed runs', '', *failed, ''] if failed else []


def _number(value: Optional[float], digits: int) -> str:
    return '–' if value is None else f'{value:.{digits}f}'
