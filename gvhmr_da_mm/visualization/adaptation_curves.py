"""Figure of the logged curves of a training run."""

from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from .panels import frame_panel, legend_below
from .training_log import Curve, TrainingLog

CURVE_LABELS = {
    'synthetic_loss': 'synthetic',
    'real_loss': 'real (pseudo-labels)',
    'loss': 'total',
    'reprojection_loss': 'reprojection',
    'reprojection_error': 'mean over confident keypoints',
    'discriminator_real_loss': 'discriminator, true motion',
    'discriminator_fake_loss': 'discriminator, predictions',
    'generator_adversarial_loss': 'generator',
    'confidence_threshold': 'threshold',
    'confidence_mean': 'mean confidence',
    'selection_rate': 'selection rate',
}
"""Labels of logged values; values not listed keep their names."""
CAMERA_METRICS = ('pa_mpjpe', 'mpjpe', 'pve')
WORLD_METRICS = ('wa_mpjpe', 'w_mpjpe')
COLOURS = ('#2f6fde', '#e0752d', '#2a9d8f', '#c2410c', '#7c4dbd', '#c23b8f', '#8a8f99', '#d4a017')
CONFIDENCE_BINS = 20
CONFIDENCE_PARTS = 3
"""Number of parts of the run, each with a histogram of the confidence."""
MAX_RAW_POINTS = 40
"""Curves with more points are drawn pale behind their running mean."""


def plot_adaptation(log: TrainingLog, out: Union[str, Path], title: str = '') -> Path:
    """Plot losses, discriminator, selection, distance from keypoints and validation to a file.

    Args:
        log (TrainingLog): Logged curves.
        out (str | Path): PNG, PDF or SVG file; its folder is created.
        title (str): Headline. Defaults to ''.

    Returns:
        Path: The file.
    """
    from matplotlib.figure import Figure

    train, val = log.train, log.val
    rows, columns = (3, 4) if val else (2, 4)
    # Without pyplot, the caller's backend and figures stay unchanged.
    figure = Figure(figsize=(4.75 * columns, 4.5 * rows), layout='constrained')
    axes = figure.subplots(rows, columns).ravel()
    # `loss` of an adaptation mixes the domains.
    losses = _take(train, 'synthetic_loss', 'real_loss') or _take(train, 'loss')
    _panel(axes[0], 'Loss per domain', losses)
    _panel(
        axes[1],
        'Adversarial and reprojection losses',
        _take(
            train,
            'discriminator_real_loss',
            'discriminator_fake_loss',
            'generator_adversarial_loss',
            'reprojection_loss',
        ),
    )
    selection = _take(train, 'confidence_threshold', 'confidence_mean', 'selection_rate')
    _panel(
        axes[2], 'Pseudo-label selection', selection, unit='0 to 1', steps='confidence_threshold'
    )
    if selection:
        axes[2].set_ylim(-0.03, 1.03)
    _confidence_panel(axes[3], train)
    _gradient_panel(axes[4], train)
    _panel(axes[5], 'Synthetic loss terms', _terms(train, 'synthetic_'), logarithmic=True)
    _panel(axes[6], 'Real loss terms (pseudo-labels)', _terms(train, 'real_'))
    distance = _take(train, 'reprojection_error')
    _panel(axes[7], 'Distance from keypoints, real clips', distance, unit='box sides')
    if val:
        _validation_panels(axes[8:11], val)
        axes[11].set_visible(False)
    if title:
        figure.suptitle(title, fontsize=13, fontweight='bold')
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=100)
    return out


def _validation_panels(axes: Any, val: dict[str, Curve]) -> None:
    """Draw camera-space, world-space and other metrics into three panels."""
    camera = {n: c for n, c in val.items() if n.rpartition('/')[2] in CAMERA_METRICS}
    world = {n: c for n, c in val.items() if n.rpartition('/')[2] in WORLD_METRICS}
    others = {n: c for n, c in val.items() if n not in camera and n not in world}
    _panel(axes[0], 'Validation, camera space', camera, unit='mm', over='epoch')
    _panel(axes[1], 'Validation, world space', world, unit='mm', over='epoch')
    relative = {n: (steps, _relative(values)) for n, (steps, values) in others.items()}
    _panel(axes[2], 'Other metrics, relative to the first', relative, unit='%', over='epoch')


def _take(curves: dict[str, Curve], *names: str) -> dict[str, Curve]:
    return {name: curves[name] for name in names if name in curves}


def _terms(curves: dict[str, Curve], prefix: str) -> dict[str, Curve]:
    """Return the loss terms of a domain, by name without prefix and ``_loss``."""
    return {
        name[len(prefix) : -len('_loss')]: curve
        for name, curve in curves.items()
        if name.startswith(prefix) and name.endswith('_loss') and name != f'{prefix}loss'
    }


def _relative(values: list[float]) -> list[float]:
    first = next((value for value in values if np.isfinite(value) and value), 1.0)
    return [100 * value / first for value in values]


def _panel(
    axis: Any,
    title: str,
    curves: dict[str, Curve],
    unit: str = '',
    over: str = 'iteration',
    steps: Optional[str] = None,
    logarithmic: bool = False,
) -> None:
    """Draw curves into one panel, or mark it as not logged."""
    frame_panel(axis, title, over, unit)
    if not curves:
        _mark_not_logged(axis)
        return
    for index, (name, (x, y)) in enumerate(curves.items()):
        _curve(axis, CURVE_LABELS.get(name, name), x, y, index, name == steps)
    if logarithmic and all(np.nanmin(y) > 0 for _, y in curves.values()):
        axis.set_yscale('log')
    legend_below(axis, axis.get_lines())


def _mark_not_logged(axis: Any) -> None:
    axis.text(0.5, 0.5, 'not logged', ha='center', va='center', transform=axis.transAxes)
    axis.set_xticks([])
    axis.set_yticks([])


def _curve(axis: Any, label: str, x: list, y: list, index: int, steps: bool) -> None:
    # Dashes keep coinciding curves visible.
    style = dict(
        color=COLOURS[index % len(COLOURS)],
        label=label,
        linewidth=1.7,
        linestyle=('-', (0, (5, 2)), (0, (2, 1.5)))[index % 3],
        drawstyle='steps-post' if steps else 'default',
    )
    if len(x) > MAX_RAW_POINTS and not steps:
        axis.plot(x, y, color=style['color'], alpha=0.22, linewidth=0.8)
        y = _running_mean(y)
    elif len(x) <= 12:
        style.update(marker='o', markersize=3.5)
    axis.plot(x, y, **style)


def _running_mean(values: list[float]) -> np.ndarray:
    """Average over a tenth of the curve around each point, ignoring values that are not finite."""
    values = np.asarray(values, dtype=float)
    half = max(1, len(values) // 20)
    finite = np.isfinite(values)
    total = np.concatenate(([0], np.cumsum(np.where(finite, values, 0))))
    count = np.concatenate(([0], np.cumsum(finite)))
    index = np.arange(len(values))
    low, high = np.maximum(index - half, 0), np.minimum(index + half + 1, len(values))
    with np.errstate(invalid='ignore', divide='ignore'):
        return (total[high] - total[low]) / (count[high] - count[low])


def _confidence_panel(axis: Any, train: dict[str, Curve]) -> None:
    """Draw histograms of the mean confidence per batch for parts of the run."""
    frame_panel(axis, 'Confidence of logged batches', 'mean confidence', 'share of records')
    steps, values = (np.array(x) for x in train.get('confidence_mean', ((), ())))
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        _mark_not_logged(axis)
        return
    edges = np.linspace(0, 1, CONFIDENCE_BINS + 1)
    drawn = []
    for part, colour in zip(np.array_split(known, min(CONFIDENCE_PARTS, len(known))), COLOURS):
        counts, _ = np.histogram(values[part].clip(0, 1), edges)
        label = f'iterations {steps[part[0]]:g} to {steps[part[-1]]:g}'
        drawn.append(axis.stairs(counts / len(part), edges, color=colour, label=label, lw=1.7))
        axis.stairs(counts / len(part), edges, color=colour, fill=True, alpha=0.2)
    axis.set_xlim(-0.03, 1.03)
    legend_below(axis, drawn)


def _gradient_panel(axis: Any, train: dict[str, Curve]) -> None:
    """Draw the gradient norm, and the learning rates on a second axis."""
    gradients = _take(train, 'grad_norm')
    rates = _take(train, 'model.lr', 'discriminator.lr') or _take(train, 'lr')
    _panel(axis, 'Gradient norm and learning rate', gradients, 'gradient norm', logarithmic=True)
    if not gradients or not rates:
        return
    twin = axis.twinx()
    for (name, (x, y)), style, colour in zip(rates.items(), ('-', ':'), COLOURS[1:]):
        twin.plot(x, y, style, color=colour, label=name, linewidth=1.7)
    twin.set_ylim(0, 1.1 * max(max(y) for _, y in rates.values()) or 1)
    twin.set_ylabel('learning rate', fontsize=9)
    twin.tick_params(labelsize=8)
    twin.spines['top'].set_visible(False)
    legend_below(axis, [*axis.get_lines(), *twin.get_lines()])
