"""Checks of the metrics that best checkpoints, early stopping and schedules monitor."""

from collections.abc import Iterator, Mapping
from typing import Any, Optional

from mmengine.config import Config

from ..core.errors import ConfigError
from ..registry import METRICS
from ..registry.arguments import parameters_of, suggest
from .values import target_of


def check_monitored(config: Config) -> None:
    """Check that monitored metrics exist, and have a rule which value is better.

    Args:
        config (Config): The config of a run, checked by :func:`check_config`.

    Raises:
        ConfigError: If there is no such metric, the run does not validate, or MMEngine would have
            to guess the rule.
    """
    metrics = _metric_names(config.get('val_evaluator'))
    for where, part, name in _monitored(config):
        if config.get('val_cfg') is None:
            raise ConfigError(
                f'`{where}` is {name!r}, but the run does not validate: set it to None, or run '
                'without `--no-validate`'
            )
        if metrics is not None and name not in metrics and name != 'auto':
            raise ConfigError(
                f'`{where}`: no metric of `val_evaluator` is named {name!r}; '
                f'{suggest(name, metrics)}'
            )
        target = target_of(part, where)
        known = parameters_of(target)[0]
        if 'rule' not in known or part.get('rule') or part.get('greater_keys'):
            continue
        if target.__module__.startswith('mmengine.hooks'):
            raise ConfigError(
                f"`{where}` needs `rule='less'` beside it: {target.__name__} of MMEngine infers it "
                'from the name. It is the default of SafeCheckpointHook and EarlyStoppingHook of '
                'gvhmr_da_mm.engine'
            )


def _monitored(config: Config) -> Iterator[tuple[str, Mapping, str]]:
    """Yield the fields that name a metric, their parts, and the metric."""
    hooks = {f'default_hooks.{k}': v for k, v in (config.get('default_hooks') or {}).items()}
    hooks |= {f'custom_hooks.{k}': v for k, v in enumerate(config.get('custom_hooks') or ())}
    for where, part in [*hooks.items(), *schedules_of(config.get('param_scheduler'))]:
        if not isinstance(part, Mapping):
            continue
        best = part.get('save_best') or ()
        for name in [best] if isinstance(best, str) else best:
            yield f'{where}.save_best', part, name
        if isinstance(part.get('monitor'), str):
            yield f'{where}.monitor', part, part['monitor']


def schedules_of(node: Any, where: str = 'param_scheduler') -> Iterator[tuple[str, Any]]:
    """Yield the configs of all schedules, with their places in the config."""
    if isinstance(node, Mapping) and 'type' in node:
        yield where, node
    elif isinstance(node, (Mapping, list, tuple)):
        for key, part in node.items() if isinstance(node, Mapping) else enumerate(node):
            yield from schedules_of(part, f'{where}.{key}')


def _metric_names(evaluator: Any) -> Optional[set[str]]:
    """Return the names of all results, or None if a metric has no ``metric_names``."""
    names = set()
    for part in evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]:
        target = target_of(part, 'val_evaluator') if isinstance(part, Mapping) else None
        if not hasattr(target, 'metric_names'):
            return None
        metric = METRICS.build(dict(part))
        names |= {f'{metric.prefix}/{name}' for name in metric.metric_names}
    return names
