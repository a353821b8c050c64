"""Configs and results of training runs that take seconds."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional, Union

from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.visualization import Visualizer

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.config.loading import switch_workers_off
from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.visualization import MotionLocalVisualizer

PathLike = Union[str, Path]
RUN_MANAGERS = (MessageHub, Visualizer, MotionLocalVisualizer)
"""Classes that keep an instance of each run, by its name, for the whole process."""


@contextmanager
def isolated_registry() -> Iterator[None]:
    """Restore MMEngine's global scopes, message hubs and visualizers after a run.

    MMEngine names a run by the second it starts in, so two runs of one process could share their
    history of logs and the folder of their files.
    """
    before = {manager: manager._instance_dict.copy() for manager in (DefaultScope, *RUN_MANAGERS)}
    for manager in RUN_MANAGERS:
        manager._instance_dict.clear()
    try:
        yield
    finally:
        for manager, instances in before.items():
            manager._instance_dict.clear()
            manager._instance_dict.update(instances)


def train(config: Config) -> Runner:
    """Train by a config, apart from other runs of the process, and return the runner."""
    with isolated_registry():
        runner = Runner.from_cfg(config)
        runner.train()
    return runner


def tiny_config(
    path: PathLike,
    data_root: PathLike,
    work_dir: PathLike,
    epochs: int = 1,
    batches: int = 4,
    batch_size: int = 2,
    max_len: Optional[int] = None,
    validate: bool = False,
    options: Optional[dict[str, Any]] = None,
) -> Config:
    """Read an adaptation config and shorten its run to seconds.

    The network keeps its size: start from a tiny config, or shrink it with ``options``.

    Args:
        path (str | Path): A config file.
        data_root (str | Path): Data root, such as that of a demo of size ``'toy'``.
        work_dir (str | Path): Folder of logs and checkpoints.
        epochs (int): Defaults to 1.
        batches (int): Batches per epoch. Defaults to 4.
        batch_size (int): Defaults to 2.
        max_len (int, optional): Longest window of a training clip in frames, twice the shortest.
            None, the default, keeps those of the config.
        validate (bool): Keep the validation, after the last epoch. Defaults to False.
        options (dict, optional): Further changes by dotted key, as ``--cfg-options``.

    Returns:
        Config: For ``Runner.from_cfg``.
    """
    config = load_config(path, options, data_root)
    config.work_dir = str(work_dir)
    config.train_cfg.update(max_epochs=epochs, val_interval=epochs)
    config.train_dataloader.update(batch_size=batch_size)
    switch_workers_off(config.train_dataloader)
    config.train_dataloader.batch_sampler.update(batches_per_epoch=batches)
    if max_len is not None:
        for dataset in config.train_dataloader.dataset.datasets.values():
            dataset.update(min_len=max_len // 2, max_len=max_len)
    config.default_hooks.logger.update(interval=1)
    config.default_hooks.checkpoint.update(interval=1)
    config.log_level = 'WARNING'
    if not validate:
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
    # Training does not test, but would read the files of the test loop.
    config.test_cfg = config.test_dataloader = config.test_evaluator = None
    return config


def read_log(work_dir: PathLike) -> list[dict[str, Any]]:
    """Return the entries of the latest run's ``scalars.json``, in order.

    Raises:
        MissingFilesError: If no run has written a log below the folder.
    """
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    if not files:
        raise MissingFilesError(f'no run has written a log (scalars.json) below {work_dir}')
    return [json.loads(line) for line in files[-1].read_text().splitlines()]


def last_checkpoint(work_dir: PathLike) -> Path:
    """Return the checkpoint from which ``--resume`` would continue.

    Raises:
        MissingFilesError: If no checkpoint was saved.
    """
    pointer = Path(work_dir) / 'last_checkpoint'
    if not pointer.is_file():
        raise MissingFilesError(f'no checkpoint has been saved in {work_dir}')
    return Path(pointer.read_text().strip())
