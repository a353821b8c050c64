"""Configs of a benchmark's runs: shipped configs, shortened, with the benchmark's tests."""

from pathlib import Path
from typing import Any, Union

from mmengine.config import Config

from benchmarks.adaptation.budget import Budget
from benchmarks.adaptation.methods import Method
from gvhmr_da_mm.apis import check_options, load_config
from gvhmr_da_mm.config.loading import walk
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.registry import HOOKS

PathLike = Union[str, Path]
SOURCE_CONFIG, ADAPTED_CONFIG = 'gvhmr_demo', 'da_demo'
RETEST_CFG = 'retest_cfg'
"""Field of a run's config with the estimator's ``test_cfg`` for the second test."""
REFINEMENT = ('refiner', 'steady_gravity', 'trajectory')
"""Options at test time that are part of the adaptation."""
HELD_OUT = {
    'EMDBDataset': ('val_emdb', {'CameraSpaceMetric': 'emdb1', 'WorldSpaceMetric': 'emdb2'}),
    'ThreeDPWDataset': ('val_3dpw', {'CameraSpaceMetric': '3dpw'}),
}
"""Name, metrics and protocols of the held-out training clips of each real dataset.

The clips and numbers of `configs/_base_/datasets/val_held_out.py`, which validates on them in
training; here they are tested beside the test clips, by datasets with names of their own.
"""


def source_config(
    config_dir: PathLike, data_root: PathLike, budget: Budget, seed: int, work_dir: PathLike
) -> Config:
    """Return the config of the run on synthetic clips that all methods of a seed start from.

    Args:
        config_dir (str | Path): Folder of the shipped configs.
        data_root (str | Path): Data root.
        budget (Budget): Length of the run.
        seed (int): Seed of weights and batches.
        work_dir (str | Path): Work directory.
    """
    config = load_config(Path(config_dir) / f'{SOURCE_CONFIG}.py', data_root=data_root)
    _shorten(config, budget, budget.source_epochs)
    config.test_cfg = config.test_dataloader = config.test_evaluator = None
    return _finish(config, seed, work_dir)


def method_config(
    method: Method,
    config_dir: PathLike,
    data_root: PathLike,
    budget: Budget,
    seed: int,
    work_dir: PathLike,
    load_from: PathLike,
) -> Config:
    """Return the config of a method's run, tested on the test clips and on held-out ones.

    Args:
        method (Method): The method.
        config_dir (str | Path): Folder of the shipped configs.
        data_root (str | Path): Data root.
        budget (Budget): Length of the run.
        seed (int): Seed of batches and noise.
        work_dir (str | Path): Work directory.
        load_from (str | Path): Checkpoint of the run of that seed that it starts from.

    Raises:
        ConfigError: If an override of the method names a field that does not exist.
    """
    config_dir = Path(config_dir)
    config = load_config(config_dir / f'{ADAPTED_CONFIG}.py', data_root=data_root)
    if method.recipe is not None:
        recipe = load_config(config_dir / f'{method.recipe}.py', data_root=data_root)
        _adopt(config, recipe)
    _override(config, dict(method.options), method.name)
    _shorten(config, budget, budget.epochs)
    spread_threshold(config, budget.steps)
    # A collapsed model is a result here, so it is tested, too.
    config.default_hooks.collapse_guard.update(action='warn')
    if method.synthetic_only:
        config.train_dataloader.batch_sampler.alternating_ratio = 0
    for dataset in real_sources(config):
        dataset.update(subset='fit' if budget.hold_out else 'all', **method.real)
    if budget.hold_out:
        _add_held_out(config)
    _test_twice(config, method.refined)
    config.load_from = str(load_from)
    return _finish(config, seed, work_dir)


def _adopt(config: Config, recipe: Config) -> None:
    """Replace the recipe of a config, but not the size of its model."""
    # In place: reading an item of a lazy config imports its class, which a dump cannot write.
    size = config.model.critic
    recipe.model.update(
        estimator=config.model.estimator,
        critic=dict(discriminator=size.discriminator, queue=size.queue),
    )
    config.model = recipe.model
    config.default_hooks = recipe.default_hooks


def _override(config: Config, options: dict[str, Any], owner: str) -> None:
    """Apply overrides by dotted key; a dict with a ``type`` replaces what was there."""
    try:
        check_options(config, options)
        for key, value in options.items():
            if isinstance(value, dict) and 'type' in value:
                # MMEngine merges a dict into the present value, which may be None or absent.
                config.merge_from_dict({key: None})
                value = dict(value, _delete_=True)
            config.merge_from_dict({key: value})
    except (ConfigError, TypeError, KeyError) as error:
        raise ConfigError(f'overrides of {owner!r}: {error}') from error


def _shorten(config: Config, budget: Budget, epochs: int) -> None:
    """Set the length of a run, and the fields that depend on it."""
    config.train_cfg.update(max_epochs=epochs)
    config.train_dataloader.update(
        batch_size=budget.batch_size, num_workers=0, persistent_workers=False
    )
    config.train_dataloader.batch_sampler.update(batches_per_epoch=budget.batches_per_epoch)
    for scheduler in walk(config.param_scheduler):
        if 'T_max' in scheduler:
            scheduler.update(T_max=epochs)
    config.default_hooks.checkpoint.update(interval=epochs, max_keep_ckpts=1, save_optimizer=False)
    config.default_hooks.logger.update(interval=min(10, budget.batches_per_epoch))
    config.val_cfg = config.val_dataloader = config.val_evaluator = None


def spread_threshold(config: Config, steps: int) -> None:
    """Spread the steps of the confidence threshold evenly over a run of another length.

    Args:
        config (Config): Changed in place.
        steps (int): Iterations of the run.
    """
    hook = HOOKS.build(config.default_hooks.confidence_threshold)
    rises = round((hook.end - hook.start) / hook.step) if hook.step else 0
    config.default_hooks.confidence_threshold.update(
        by_epoch=False, interval=max(steps // (rises + 1), 1)
    )


def real_sources(config: Config) -> list[dict]:
    """Return the configs of the real datasets of training."""
    datasets = config.train_dataloader.dataset.datasets.values()
    return [dataset for dataset in datasets if dataset and _kind(dataset) in HELD_OUT]


def _kind(dataset: dict) -> str:
    """Return the name of a dataset's class; dumped configs hold it as a string."""
    kind = dataset['type']
    return kind.rpartition('.')[2] if isinstance(kind, str) else kind.__name__


def _add_held_out(config: Config) -> None:
    """Test on the held-out training clips too."""
    for source in real_sources(config):
        kind = _kind(source)
        name, metrics = HELD_OUT[kind]
        config.test_dataloader.dataset.datasets[name] = dict(
            type=kind, data_root=source.data_root, split='train', subset='val', dataset=name
        )
        for metric, protocol in metrics.items():
            protocol = dict(base=protocol, name=name, dataset=name, published={})
            config.test_evaluator.append(
                dict(type=metric, dataset=name, protocol=protocol, data_root=source.data_root)
            )


def _test_twice(config: Config, refined: bool) -> None:
    """Test with and without refinement, both without flip test and post-processing."""
    shipped = config.model.estimator.test_cfg
    # ConfigDicts merge, so what is switched off has to be listed.
    alone = dict.fromkeys(('flip_test', 'steady_gravity', 'postprocess'), False)
    alone.update(refiner=None, trajectory=None)
    fitted = {**alone, **{name: shipped[name] for name in REFINEMENT}}
    config.model.estimator.update(test_cfg=fitted if refined else alone)
    config[RETEST_CFG] = alone if refined else fitted
    config.test_dataloader.update(num_workers=0, persistent_workers=False)
    for dataset in config.test_dataloader.dataset.datasets.values():
        dataset.update(flip_test=False)


def _finish(config: Config, seed: int, work_dir: PathLike) -> Config:
    """Set the fields that all runs share."""
    work_dir = Path(work_dir).absolute()
    config.randomness = dict(seed=seed)
    config.work_dir = str(work_dir)
    # MMEngine's default name has seconds, so concurrent runs could share it.
    config.experiment_name = '_'.join(work_dir.parts[-2:])
    config.visualizer.update(vis_backends=[dict(type='LocalVisBackend')])
    return config


def final_checkpoint(config: Config) -> Path:
    """Return the path of the last checkpoint of a run."""
    return Path(config.work_dir) / f'epoch_{config.train_cfg.max_epochs}.pth'


def describe(config: Config, data_root: PathLike) -> dict[str, Any]:
    """Return the content of a config without its paths, for comparison as JSON."""
    content = _plain(config._cfg_dict.to_dict(), str(Path(data_root).absolute()))
    for name in ('work_dir', 'load_from', 'experiment_name'):
        content.pop(name, None)
    return content


def _plain(value: Any, data_root: str) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item, data_root) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, data_root) for item in value]
    if callable(value):  # A class, or a function such as the collate function.
        return f'{value.__module__}.{value.__qualname__}'
    return value.replace(data_root, '<data>') if isinstance(value, str) else value
