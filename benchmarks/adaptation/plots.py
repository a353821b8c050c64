"""Plots of a benchmark: gap closed, confidence against error, training curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np

from benchmarks.adaptation.tables import GAP_METRICS, TEST_SETS
from gvhmr_da_mm.evaluation.report import METRIC_LABELS
from gvhmr_da_mm.visualization.adaptation_curves import COLOURS
from gvhmr_da_mm.visualization.panels import frame_panel, legend_below
from gvhmr_da_mm.visualization.training_log import Curve

GAP_LIMITS = (-1.0, 2.0)
"""Axis limits: shares of a tiny gap are meaninglessly large."""
CURVES = {
    'confidence_threshold': 'threshold',
    'confidence_mean': 'mean confidence',
    'selection_rate': 'selection rate',
    'synthetic_loss': 'loss on synthetic clips',
    'real_loss': 'loss on pseudo-labels (oracle: labels)',
    'reprojection_loss': 'reprojection loss',
    'generator_adversarial_loss': 'adversarial loss of the student',
    'discriminator_fake_loss': 'discriminator, loss on predictions',
}
MIN_LOG_SCALE_RATIO = 10
"""Ratio of the largest to the smallest value above which an axis is logarithmic."""
KEPT_COLOUR, DROPPED_COLOUR = COLOURS[2], COLOURS[1]


def plot_gap(methods: Mapping[str, Mapping[str, Any]], out: Path) -> Optional[Path]:
    """Draw the share of the gap that each method closes: a bar for the means, a dot for each seed.

    Args:
        methods (Mapping): ``methods`` of the summary.
        out (Path): The file.

    Returns:
        Path | None: The file; None if no metric has a share.
    """
    metrics = [
        m for m in GAP_METRICS if any(_share(method, m) is not None for method in methods.values())
    ]
    if not metrics:
        return None
    figure, axes = _figure(len(metrics), columns=min(3, len(metrics)), legend=False)
    for axis, metric in zip(axes, metrics):
        prefix, _, name = metric.partition('/')
        frame_panel(
            axis, f'{TEST_SETS[prefix]}, {METRIC_LABELS[name][0]}', '', 'share of the gap closed'
        )
        known = [name for name in methods if _share(methods[name], metric) is not None]
        for place, method in enumerate(known):
            colour = COLOURS[list(methods).index(method) % len(COLOURS)]
            shares = methods[method]['gap_closed_per_seed']
            axis.bar(place, _share(methods[method], metric), color=colour, alpha=0.75, width=0.7)
            dots = [share for share in shares.get(metric, []) if share is not None]
            spread = np.linspace(-0.15, 0.15, len(dots)) if len(dots) > 1 else [0.0]
            axis.plot(place + np.asarray(spread), dots, 'o', color='#22262e', markersize=3.5)
        axis.axhline(0, color='#22262e', linewidth=0.8)
        axis.axhline(1, color='#8a8f99', linewidth=0.8, linestyle='--')
        axis.set_xticks(range(len(known)), known, rotation=25, ha='right', fontsize=8)
        axis.tick_params(axis='x', pad=12)  # Room for the shares below the zero line.
        low, high = axis.get_ylim()
        axis.set_ylim(max(low, GAP_LIMITS[0]), min(max(high, 1.1), GAP_LIMITS[1]))
        for place, method in enumerate(known):
            share = methods[method]['gap_closed'][metric]
            # Beyond the zero line, where neither bar nor dots are.
            style = dict(ha='center', va='bottom' if share < 0 else 'top', fontsize=7)
            offset = (0, 3 if share < 0 else -4)
            axis.annotate(
                f'{100 * share:.0f} %', (place, 0), offset, textcoords='offset points', **style
            )
    figure.suptitle('0 is source-only training, 1 the labels of the real clips', fontsize=10)
    return _save(figure, out)


def _share(method: Mapping[str, Any], metric: str) -> Optional[float]:
    return method['gap_closed'].get(metric)


def plot_confidence(filters: Sequence[Mapping[str, Any]], out: Path, title: str = '') -> Path:
    """Draw scores against the true error of the labels, one panel for each kind of score.

    Args:
        filters (Sequence[Mapping]): ``filter`` of the results of a method, one for each seed.
        out (Path): The file.
        title (str): Headline. Defaults to none.
    """
    points = {
        name: np.asarray([x for one in filters for x in one['points'][name]], dtype=float)
        for name in filters[0]['points']
        if name not in ('dataset', 'sequence', 'start')
    }
    keep = points['keep'].astype(bool)
    scores = [name for name in points if name == 'confidence' or name.startswith('score_')]
    figure, axes = _figure(len(scores), columns=len(scores))
    for axis, name in zip(axes, scores):
        label = name.replace('score_', '')
        frame_panel(axis, label, 'score', 'error of the label, PA-MPJPE (mm)')
        for kept, colour, text in ((True, KEPT_COLOUR, 'kept'), (False, DROPPED_COLOUR, 'dropped')):
            chosen = keep == kept
            axis.plot(
                points[name][chosen],
                points['pa_mpjpe'][chosen],
                *('o',),
                color=colour,
                markersize=4,
                alpha=0.6,
                markeredgewidth=0,
                label=f'{text} ({int(chosen.sum())})',
            )
        if name == 'confidence':
            thresholds = sorted({one['threshold'] for one in filters})
            for index, threshold in enumerate(thresholds):
                text = 'threshold' if index == 0 else '_'
                axis.axvline(threshold, color='#22262e', linestyle='--', linewidth=1, label=text)
        axis.axhline(
            np.median(points['pa_mpjpe']), color='#8a8f99', linewidth=0.8, label='median error'
        )
        legend_below(axis)
    figure.suptitle(title, fontsize=13, fontweight='bold')
    return _save(figure, out)


def plot_curves(curves: Mapping[str, Mapping[str, Curve]], out: Path) -> Optional[Path]:
    """Draw threshold, selection and losses over the iterations, a line for each method.

    Args:
        curves (Mapping[str, Mapping[str, Curve]]): Logged curves by method.
        out (Path): The file.

    Returns:
        Path | None: The file; None if none of these curves is logged.
    """
    names = [n for n in CURVES if any(_has_curve(one, n) for one in curves.values())]
    if not names:
        return None
    figure, axes = _figure(len(names), columns=min(4, len(names)))
    for axis, name in zip(axes, names):
        frame_panel(axis, CURVES[name], 'iteration', '')
        shown = {method: one for method, one in curves.items() if _has_curve(one, name)}
        for index, (method, one) in enumerate(curves.items()):
            if method not in shown:
                continue
            style = 'steps-post' if name == 'confidence_threshold' else 'default'
            dashes = ('-', (0, (5, 2)), (0, (2, 1.5)))[index % 3]
            colour = COLOURS[index % len(COLOURS)]
            axis.plot(
                *one[name], color=colour, label=method, linewidth=1.5, drawstyle=style, ls=dashes
            )
        values = np.concatenate([one[name][1] for one in shown.values()])
        if values.min() > 0 and values.max() > MIN_LOG_SCALE_RATIO * values.min():
            axis.set_yscale('log')
        if not name.endswith('loss'):
            axis.set_ylim(-0.03, 1.03)
        legend_below(axis)
    return _save(figure, out)


def _has_curve(curves: Mapping[str, Curve], name: str) -> bool:
    """Return whether to draw a curve; the threshold is logged where nothing is selected, too."""
    return name in curves and (name != 'confidence_threshold' or 'selection_rate' in curves)


def mean_curves(logs: Sequence[Mapping[str, Curve]]) -> dict[str, Curve]:
    """Average the curves of the seeds over the iterations that all of them logged.

    Args:
        logs (Sequence[Mapping[str, Curve]]): ``train`` of the log of each seed.
    """
    averaged = {}
    for name in dict.fromkeys(name for log in logs for name in log):
        tables = [dict(zip(*log[name])) for log in logs if name in log]
        steps = sorted(set.intersection(*(set(table) for table in tables)))
        if steps:
            averaged[name] = (steps, [float(np.mean([t[s] for t in tables])) for s in steps])
    return averaged


def _figure(panels: int, columns: int, legend: bool = True) -> tuple[Any, list]:
    from matplotlib.figure import Figure

    rows = -(-panels // columns)
    size = (4.4 * columns, (4.2 if legend else 3.6) * rows)
    # Not with pyplot, which would change the caller's backend and figures.
    figure = Figure(figsize=size, layout='constrained')
    axes = list(np.atleast_1d(figure.subplots(rows, columns)).ravel())
    for axis in axes[panels:]:
        axis.set_visible(False)
    return figure, axes[:panels]


def _save(figure: Any, out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=100)
    return out
