"""Line of a model in the table of the docs."""

from typing import Any

from ..models.model_card import ModelCard


def table_row(card: ModelCard) -> str:
    """Return the line of a card in the table of shipped models of ``docs/*/models.md``."""
    weights, metrics = card.weights, card.metrics
    cells = [
        f'`{card.name}`',
        f'{weights["parameters"] / 1e6:.1f}',
        f'{weights["bytes"] / 1e6:.1f}',
        _pair(metrics, 'pa_mpjpe'),
        _pair(metrics, 'mpjpe'),
        _pair(metrics, 'rte'),
        _number(metrics, 'calibrated_mean', 'ours', 'pa_mpjpe'),
        _number(metrics, 'calibrated_mean', 'ours', 'mpjpe'),
        _number(metrics, 'calibrated_mean', 'gravity_deg'),
    ]
    return f'| {" | ".join(cells)} |'


def _pair(metrics: dict[str, Any], name: str) -> str:
    """Return a number of motion capture: of the network and fitted."""
    return ' / '.join(_number(metrics, 'mocap', stage, name) for stage in ('network', 'fitted'))


def _number(metrics: dict[str, Any], *keys: str) -> str:
    value: Any = metrics
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return '–' if value is None else f'{value:.1f}'
