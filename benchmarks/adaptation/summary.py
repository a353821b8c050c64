"""Summary of the results of all runs: means, deviations and shares of the gap."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np

Results = Sequence[Mapping[str, Any]]
SOURCE, ORACLE = 'source', 'oracle'


def summarise(
    results: Results, names: Sequence[str], refined: Optional[Mapping[str, str]] = None
) -> dict[str, Any]:
    """Summarise the runs of all methods.

    Args:
        results (Sequence[Mapping]): ``result.json`` of each run: ``name``, ``seed``, ``status``,
            ``metrics``, ``kept_ratio``, ``filter``.
        names (Sequence[str]): Methods, in the order of the table.
        refined (Mapping[str, str], optional): Name of each method to that of the refined test of
            its runs. Defaults to none.

    Returns:
        dict[str, Any]: For each method ``<metric>`` with ``mean``, ``std`` (of the seeds, n - 1;
        null for one), ``values`` and ``seeds``; ``gap_closed`` (see
        :func:`gap_closed`), and ``gap_closed_refined``, the same of the refined tests alone;
        ``kept_ratio``, ``seconds``, ``failed``.
    """
    refined = refined or {}
    by_name = {name: _by_seed(results, name) for name in {*names, *refined.values()}}
    ends = [by_name.get(name, {}) for name in (SOURCE, ORACLE)]
    refined_ends = [by_name.get(refined.get(name, ''), {}) for name in (SOURCE, ORACLE)]
    methods = {}
    for name in names:
        runs = by_name[name]
        methods[name] = {
            **{metric: _statistics(runs, metric) for metric in _metrics(runs)},
            **gap_closed(runs, *ends),
            **_refined_gap(by_name.get(refined.get(name, ''), {}), *refined_ends),
            'kept_ratio': _mean(run.get('kept_ratio') for run in runs.values()),
            'seconds': _mean(_seconds(run) for run in runs.values()),
            'failed': {
                str(result['seed']): result.get('error')
                for result in results
                if result['name'] == name and result.get('status') != 'finished'
            },
        }
    return methods


def gap_closed(
    runs: Mapping[int, Mapping], source: Mapping[int, Mapping], oracle: Mapping[int, Mapping]
) -> dict[str, Any]:
    """Return the share of the gap between source and oracle that a method closes, by metric.

    The share is that of the means over the seeds that all three have finished, so that they are
    paired. The shares of each seed are returned too.

    Args:
        runs (Mapping[int, Mapping]): Results of the method by seed.
        source (Mapping[int, Mapping]): Results without adaptation.
        oracle (Mapping[int, Mapping]): Results with the labels of the real clips.

    Returns:
        dict[str, Any]: ``gap_closed``, by metric 0 for the source and 1 for the oracle, None where
        the oracle is not better than the source; ``gap_closed_per_seed``, the shares of each seed;
        ``gap_notes``, the reasons for None.
    """
    seeds = sorted(set(runs) & set(source) & set(oracle))
    shares: dict[str, Any] = {}
    per_seed: dict[str, list[Optional[float]]] = {}
    notes: dict[str, str] = {}
    for metric in _metrics(runs):
        values = [
            [run[seed]['metrics'].get(metric) for seed in seeds] for run in (runs, source, oracle)
        ]
        if not seeds or any(value is None for column in values for value in column):
            shares[metric] = None
            notes[metric] = 'no seed for which method, source and oracle are all measured'
            continue
        shares[metric] = _share(*(float(np.mean(column)) for column in values))
        per_seed[metric] = [_share(*row) for row in zip(*values)]
        if shares[metric] is None:
            notes[metric] = 'the oracle is not better than the source'
    return dict(gap_closed=shares, gap_closed_per_seed=per_seed, gap_notes=notes)


def _refined_gap(*runs: Mapping[int, Mapping]) -> dict[str, Any]:
    """Return what is left of the gap after refinement; the names of :func:`gap_closed` marked."""
    marked = dict(
        gap_closed='gap_closed_refined',
        gap_closed_per_seed='gap_closed_refined_per_seed',
        gap_notes='gap_refined_notes',
    )
    return {marked[name]: content for name, content in gap_closed(*runs).items()}


def _share(value: float, source: float, oracle: float) -> Optional[float]:
    gap = source - oracle
    return (source - value) / gap if gap > 0 else None


def _by_seed(results: Results, name: str) -> dict[int, Mapping]:
    finished = [r for r in results if r['name'] == name and r.get('status') == 'finished']
    return {int(result['seed']): result for result in sorted(finished, key=lambda r: r['seed'])}


def _metrics(runs: Mapping[int, Mapping]) -> list[str]:
    return list(dict.fromkeys(metric for run in runs.values() for metric in run['metrics']))


def _statistics(runs: Mapping[int, Mapping], metric: str) -> dict[str, Any]:
    known = {
        s: r['metrics'][metric] for s, r in runs.items() if r['metrics'].get(metric) is not None
    }
    values = list(known.values())
    return dict(
        mean=float(np.mean(values)) if values else None,
        std=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        values=values,
        seeds=list(known),
    )


def _seconds(run: Mapping) -> float:
    return sum(value for name, value in run.items() if name.endswith('_seconds'))


def _mean(values: Any) -> Optional[float]:
    known = [value for value in values if value is not None and math.isfinite(value)]
    return float(np.mean(known)) if known else None


def summarise_filter(results: Results, name: str) -> dict[str, Any]:
    """Average the quality of a method's filter over its seeds.

    Args:
        results (Sequence[Mapping]): Results of all runs.
        name (str): The method.

    Returns:
        dict[str, Any]: The measures of :mod:`.filter_quality`, None where no seed has one;
        ``values`` of each seed, ``notes``, and the same for ``mpjpe`` instead of PA-MPJPE, for each
        of ``sources`` and of ``datasets``. Empty if no run has measured its filter.
    """
    filters = [run['filter'] for run in _by_seed(results, name).values() if run.get('filter')]
    if not filters:
        return {}
    return dict(
        method=name,
        **_average([one['combined'] for one in filters]),
        threshold=_mean(one.get('threshold') for one in filters),
        clips=int(sum(one['clips'] for one in filters)),
        mpjpe=_average([one['combined_mpjpe'] for one in filters]),
        **{
            kind: _average_named([one[kind] for one in filters]) for kind in ('sources', 'datasets')
        },
    )


def _average_named(parts: Sequence[Mapping[str, Mapping]]) -> dict[str, Any]:
    """Average the entries of the same name."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: _average([part[name] for part in parts if name in part]) for name in names}


def _average(scores: Sequence[Mapping]) -> dict[str, Any]:
    """Average each measure, and keep the values."""
    names = [name for name in scores[0] if name != 'notes']
    notes = list(dict.fromkeys(note for score in scores for note in score.get('notes', [])))
    return dict(
        **{name: _mean(score.get(name) for score in scores) for name in names},
        values={name: [score.get(name) for score in scores] for name in names},
        notes=notes,
    )
