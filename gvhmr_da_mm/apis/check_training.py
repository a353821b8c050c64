"""Checks that the parts of a training fit each other."""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmengine.optim import OneCycleParamScheduler

from ..config.monitored import check_monitored, schedules_of
from ..config.values import target_of
from ..core.errors import ConfigError
from ..engine.optim_wrappers import AdaptationOptimWrapperConstructor
from ..engine.total_steps import ScheduleSpan
from ..models import DomainAdaptiveGVHMR
from ..models.adaptation import PoseLifter
from ..registry import MODELS

WRAPPERS = (ConcatDataset, RepeatDataset)


def check_training(config: Config) -> None:
    """Check optimisers, schedules, datasets, compilation and monitored metrics before a run.

    Args:
        config (Config): Config with checked fields.

    Raises:
        ConfigError: If parts do not fit; it names the field and what to write instead.
        MissingFilesError: If the model that lifts keypoints does not exist.
        CheckpointError: If it cannot be read.
    """
    check_monitored(config)
    optimizer, schedule = config.get('optim_wrapper'), config.get('param_scheduler')
    if _is(config.get('model'), 'model', DomainAdaptiveGVHMR) and optimizer is not None:
        constructor = _target(optimizer.get('constructor'))
        own = constructor is not None and not constructor.__module__.startswith('gvhmr_da_mm.')
        if not own and constructor is not AdaptationOptimWrapperConstructor:
            raise ConfigError(
                '`optim_wrapper` builds one optimiser, but DomainAdaptiveGVHMR takes one for its '
                'student and one for its discriminator: use `constructor='
                'AdaptationOptimWrapperConstructor` with the keys `model` and `discriminator`'
            )
    if optimizer and _target(optimizer.get('constructor')) is AdaptationOptimWrapperConstructor:
        _check_schedules(schedule, optimizer)
    _check_total_steps(config)
    _check_lifter(config)
    dataset = (config.get('train_dataloader') or {}).get('dataset')
    if _is(dataset, 'train_dataloader.dataset', WRAPPERS):
        raise ConfigError(
            f'`train_dataloader.dataset` is a {_name(dataset)}, which hides the domains of its '
            'datasets: list them in `datasets` of a MultiSourceDataset. To repeat one give it a '
            'larger `weights` entry there'
        )
    if config.get('compile'):
        raise ConfigError(
            '`compile` of MMEngine compiles a whole training step, optimisers and logs included, '
            'which cannot work here: set `compile` of the estimator, for instance '
            '`--cfg-options model.estimator.compile=True`'
        )


def _check_lifter(config: Config) -> None:
    """Read the model that lifts keypoints, which is needed at the first unlabelled batch only."""
    labeler = (config.get('model') or {}).get('pseudo_labeler') or {}
    lifter = labeler.get('lifter')
    if _is(lifter, 'model.pseudo_labeler.lifter', PoseLifter):
        _ = MODELS.build(dict(lifter)).network


def _check_schedules(schedule: Any, optimizer: Mapping) -> None:
    if not isinstance(schedule, Mapping) or 'type' in schedule:
        return
    parts = [part for part in AdaptationOptimWrapperConstructor.PARTS if optimizer.get(part)]
    if set(parts) != set(schedule):
        missing = [part for part in parts if part not in schedule]
        example = f'; for a constant rate write `{missing[0]}=[]`' if missing else ''
        raise ConfigError(
            f'`param_scheduler` should be a list for all optimisers, or have the keys {parts}, got '
            f'{list(schedule)}{example}'
        )


def _check_total_steps(config: Config) -> None:
    """Check schedules with a number of steps; iterations of epochs are known to the loop only."""
    loop = config.get('train_cfg') or {}
    for where, part in schedules_of(config.get('param_scheduler')):
        if not _is(part, where, OneCycleParamScheduler):
            continue
        span = {name: part[name] for name in ('begin', 'end', 'by_epoch') if name in part}
        if part.get('total_steps') is not None:
            steps = ScheduleSpan(part['total_steps'], **span)
            steps.check(where, loop.get('max_epochs'), loop.get('max_iters'))
        elif 'end' not in span:
            raise ConfigError(
                f'`{where}` ({_name(part)}) should have `total_steps`, such as that of the '
                'training, or `end`: without, the learning rate stays at its beginning'
            )


def _target(kind: Any) -> Any:
    return target_of(dict(type=kind), 'optim_wrapper.constructor') if kind else None


def _is(part: Any, where: str, kinds: Any) -> bool:
    found = target_of(part, where) if isinstance(part, Mapping) else None
    return isinstance(found, type) and issubclass(found, kinds)


def _name(part: Mapping) -> str:
    return getattr(part['type'], '__name__', part['type'])
