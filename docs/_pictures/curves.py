"""Curves of short adaptations of the demo, one as it should be and four that are not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from material import Material

from gvhmr_da_mm.visualization.adaptation_curves import COLOURS, CURVE_LABELS
from gvhmr_da_mm.visualization.panels import frame_panel, legend_below
from gvhmr_da_mm.visualization.training_log import Curve, TrainingLog

DISTANCE, SELECTION, DISCRIMINATOR, LOSS = PANELS = (
    'Distance from keypoints',
    'Pseudo-label selection',
    'Discriminator',
    'Loss per domain',
)
CURVES = {
    DISTANCE: ('reprojection_error',),
    SELECTION: ('confidence_threshold', 'confidence_mean', 'selection_rate'),
    DISCRIMINATOR: ('discriminator_real_loss', 'discriminator_fake_loss'),
    LOSS: ('synthetic_loss', 'real_loss'),
}
UNITS = {DISTANCE: 'box sides', SELECTION: '0 to 1', DISCRIMINATOR: '', LOSS: ''}
HELD_OUT = {'val_emdb/mpjpe': 'EMDB', 'val_3dpw/mpjpe': '3DPW'}
"""Curves of the last panel."""
STEPS = {'confidence_threshold': 'steps-post'}


class Run(NamedTuple):
    """An adaptation, by what differs from the healthy one."""

    options: dict[str, Any]
    panels: tuple[str, ...]
    """Those that show it."""


HEALTHY, SOURCE = 'healthy', 'source'
VALIDATION_ALONE = {
    'optim_wrapper.model.optimizer.lr': 0.0,
    'train_dataloader.batch_sampler.batches_per_epoch': 2,
    'train_cfg.max_epochs': 1,
    'model.losses.pseudo': None,
}
RUNS = {
    HEALTHY: Run({}, PANELS),
    'threshold': Run(
        {
            'default_hooks.confidence_threshold.start': 0.6,
            'default_hooks.confidence_threshold.end': 0.9,
            'default_hooks.confidence_threshold.step': 0.1,
        },
        (SELECTION, DISTANCE, LOSS),
    ),
    'discriminator': Run({'model.critic.target': None}, (DISCRIMINATOR, SELECTION, LOSS)),
    'teacher': Run(
        {
            'default_hooks.mean_teacher.momentum': 1.0,
            'default_hooks.confidence_threshold.start': 0.0,
            'default_hooks.confidence_threshold.end': 0.0,
            'model.pseudo_labeler.refiner': None,
            'model.losses.reprojection.loss_weight': 0.0,
            'model.losses.pseudo.loss_weight': 5.0,
        },
        (DISTANCE, SELECTION, LOSS),
    ),
    'keypoints': Run(
        {
            'model.losses.pseudo': None,
            'train_dataloader.dataset.datasets.threedpw': None,
            'train_dataloader.dataset.datasets.emdb.indices': 1,
            'train_dataloader.batch_sampler.alternating_ratio': 4.0,
            'optim_wrapper.model.optimizer.lr': 1e-3,
        },
        (DISTANCE, LOSS),
    ),
}
"""The tuning page tells their options."""


def draw_run(material: Material, name: str, path: Path) -> None:
    """Draw the curves of a run, pale behind them those of the healthy one; write a chart.

    Args:
        material (Material): Has the demo.
        name (str): One of :data:`RUNS`.
        path (Path): PNG file.
    """
    from matplotlib.figure import Figure

    log, healthy = (material.adaptation(key, RUNS[key].options) for key in (name, HEALTHY))
    background = TrainingLog() if name == HEALTHY else healthy
    panels = RUNS[name].panels
    figure = Figure(figsize=(3.6 * len(panels) + 3.6, 3.6), layout='constrained')
    *axes, last = figure.subplots(1, len(panels) + 1)
    for axis, title in zip(axes, panels):
        frame_panel(axis, title, 'iteration', UNITS[title])
        labels = {key: CURVE_LABELS[key] for key in CURVES[title]}
        _draw(axis, log.train, background.train, labels)
    frame_panel(last, 'MPJPE of held-out clips', 'epoch', 'mm')
    before = material.adaptation(SOURCE, VALIDATION_ALONE).val
    validated = (_continued(before, each.val) for each in (log, background))
    _draw(last, *validated, HELD_OUT)
    figure.savefig(path, dpi=90)


def _continued(before: Mapping[str, Curve], curves: Mapping[str, Curve]) -> dict[str, Curve]:
    """Return curves that begin with the value before the first epoch."""
    return {
        name: ([0, *epochs], [before[name][1][0], *values])
        for name, (epochs, values) in curves.items()
    }


def _draw(
    axis: Any,
    curves: Mapping[str, Curve],
    background: Mapping[str, Curve],
    labels: Mapping[str, str],
) -> None:
    """Draw the curves that have a label, those of the background pale and wide."""
    for (name, label), colour in zip(labels.items(), COLOURS):
        style = dict(color=colour, drawstyle=STEPS.get(name, 'default'))
        if name in background:
            axis.plot(*background[name], **style, alpha=0.25, linewidth=4)
        axis.plot(*curves[name], **style, label=label, linewidth=1.7)
    legend_below(axis)
