"""A whole benchmark on one data root: runs, summary, table, plots."""

import platform
import time
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional, Union

import mmengine
import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.adaptation.experiment import SOURCE_MODEL, Experiment, Run, budget_settings
from benchmarks.adaptation.methods import Method, refined_tests, retests
from benchmarks.adaptation.plots import mean_curves, plot_confidence, plot_curves, plot_gap
from benchmarks.adaptation.result_file import write_result
from benchmarks.adaptation.scheduler import run_all
from benchmarks.adaptation.summary import summarise, summarise_filter
from benchmarks.adaptation.tables import format_markdown, write_csv
from gvhmr_da_mm.version import __version__
from gvhmr_da_mm.visualization.training_log import find_logs, read_training_log

PathLike = Union[str, Path]
FILTER_METHOD = 'full'
"""Method whose filter is reported as that of the benchmark, if it is run."""


def run_benchmark(
    experiment: Experiment,
    jobs: int = 2,
    shift: Optional[float] = None,
    console: Optional[Console] = None,
) -> dict[str, Any]:
    """Execute all runs and write the reports.

    Args:
        experiment (Experiment): The runs; finished ones are not repeated.
        jobs (int): Processes at a time. Defaults to 2.
        shift (float, optional): Strength of the demo's shift, for the report. Defaults to None:
            the data root is not the demo's.
        console (Console, optional): Shows the progress. Defaults to None: not shown.

    Returns:
        dict[str, Any]: Content of ``summary.json``.
    """
    start = time.perf_counter()
    with _progress(experiment.runs, console) as report:
        run_all(experiment.runs, jobs, report)
    results = [run.result() for run in experiment.runs]
    # In tables the second test of the same weights is a separate method.
    tested = with_retests(results, experiment.methods)
    methods = [*experiment.methods, *retests(experiment.methods)]
    summary = make_summary(tested, experiment.methods)
    summary['settings'] = dict(
        methods=[method.name for method in experiment.methods],
        transductive=[method.name for method in experiment.methods if method.transductive],
        seeds=experiment.seeds,
        shift=shift,
        data_root=str(experiment.data_root),
        jobs=jobs,
        **budget_settings(experiment.budget),
    )
    summary['versions'] = versions()
    summary['seconds'] = time.perf_counter() - start
    out = experiment.out
    write_result(out / 'summary.json', summary)
    (out / 'table.md').write_text(format_markdown(summary, methods), encoding='utf-8')
    write_csv(out / 'results.csv', tested, methods)
    _draw(experiment, results, summary)
    return summary


def with_retests(results: Sequence[dict], methods: Sequence[Method]) -> list[dict]:
    """Return the results, followed by the second tests as results of their own.

    Args:
        results (Sequence[dict]): Results of all runs.
        methods (Sequence[Method]): The methods.
    """
    names = {method.name: method.retest for method in methods}
    second = [
        dict(
            name=names[result['name']],
            seed=result['seed'],
            status=result['status'],
            metrics=result['retest_metrics'],
        )
        for result in results
        if 'retest_metrics' in result and result['name'] in names
    ]
    return [*results, *second]


def _draw(experiment: Experiment, results: Sequence[dict], summary: dict[str, Any]) -> None:
    """Write the plots."""
    out = experiment.out
    shown = [*experiment.methods, *(m for m in retests(experiment.methods) if m.refined)]
    by_name = {method.name: summary['methods'][method.name] for method in shown}
    plot_gap(by_name, out / 'gap_closed.png')
    curves = {}
    for method in experiment.methods:
        finished = [
            (run, result)
            for run, result in zip(experiment.runs, results)
            if run.name == method.name and result.get('status') == 'finished'
        ]
        filters = [result['filter'] for _, result in finished if result.get('filter')]
        if filters:
            plot_confidence(filters, out / f'confidence_{method.name}.png', method.name)
        logs = [read_training_log(find_logs(run.folder)[-1:]).train for run, _ in finished]
        if logs:
            curves[method.name] = mean_curves(logs)
    plot_curves(curves, out / 'training.png')


def make_summary(results: Sequence[dict], methods: Sequence[Method]) -> dict[str, Any]:
    """Return the numbers of a benchmark: ``methods``, ``filter``, ``filters``.

    Args:
        results (Sequence[dict]): Results of all runs.
        methods (Sequence[Method]): The methods, whose runs are tested twice.
    """
    names = [method.name for method in (*methods, *retests(methods))]
    filters = {name: summarise_filter(results, name) for name in names}
    filters = {name: quality for name, quality in filters.items() if quality}
    reported = FILTER_METHOD if FILTER_METHOD in filters else next(iter(filters), None)
    return dict(
        methods=summarise(results, names, refined_tests(methods)),
        filter=filters.get(reported, {}),
        filters=filters,
        source_models={
            str(result['seed']): result.get('error') or result['status']
            for result in results
            if result['name'] == SOURCE_MODEL
        },
    )


def failures(summary: dict[str, Any]) -> list[str]:
    """Return one line for each failed run."""
    return [
        f'{name}, seed {seed}: {error}'
        for name, method in summary['methods'].items()
        for seed, error in method['failed'].items()
    ]


def versions() -> dict[str, str]:
    """Return the versions that results may depend on."""
    return dict(
        gvhmr_da_mm=__version__,
        python=platform.python_version(),
        torch=torch.__version__,
        mmengine=mmengine.__version__,
        numpy=np.__version__,
    )


@contextmanager
def _progress(runs: Sequence[Run], console: Optional[Console]):
    """Show a bar over the runs and the running ones; yields the callback for :func:`run_all`."""
    if console is None:
        yield None
        return
    columns = (
        TextColumn('Runs'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn('{task.description}'),
    )
    running: dict[int, str] = {}
    with Progress(*columns, console=console) as progress:
        task = progress.add_task('', total=len(runs))

        def report(run: Run, state: str) -> None:
            name = f'{run.name} (seed {run.seed})'
            if state == 'started':
                running[id(run)] = name
            else:
                running.pop(id(run), None)
                progress.advance(task)
            if state == 'failed':
                error = (run.result() or {}).get('error')
                progress.console.print(f'{name} failed: {error}', style='red', markup=False)
            progress.update(task, description=', '.join(running.values()))

        yield report
