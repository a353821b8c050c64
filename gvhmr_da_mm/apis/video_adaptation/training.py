"""Training of a source model on the stretches of a few videos."""

import json
import secrets
from pathlib import Path
from typing import Any, Optional

import torch
from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...config.loading import CONFIGS, finish_config, load_config
from ...config.stored import drop_speed_keys
from ...core.errors import DivergenceError, TrainingCollapseError
from ...engine.checkpoint_files import find_last_checkpoint
from ...fileio.atomic_file import open_atomically, write_atomically
from ...models.checkpoint_reading import read_checkpoint
from ...video.stage_clock import Report
from ..check_training import check_training
from ..stored_sizes import use_stored_sizes

RECIPE = CONFIGS / 'da_own_videos.py'
"""The config of the training."""
PROBLEM = 'problem.json'
"""File of a training that was stopped, with the reason."""


def training_config(
    source: Path,
    network: ConfigDict,
    data_root: Path,
    pack: Path,
    work_dir: Path,
    seed: int,
    options: Optional[dict[str, Any]] = None,
) -> Config:
    """Return the config of the training.

    Args:
        source (Path): Checkpoint of the source.
        network (ConfigDict): Config of its network, or of its adaptation.
        data_root (Path): Folder of the body models.
        pack (Path): Pack of the stretches that are trained on.
        work_dir (Path): Folder of logs and checkpoints.
        seed (int): Seed.
        options (dict, optional): ``--cfg-options`` by dotted key. Defaults to None.

    Raises:
        ConfigError: If an option is wrong.
    """
    config = load_config(RECIPE)
    model = config._cfg_dict['model']
    model['estimator'] = dict(network.get('estimator', network))
    drop_speed_keys(model)
    if network.get('critic'):
        model['critic'] = network['critic']
    config._cfg_dict['train_dataloader']['dataset']['datasets']['video']['pack'] = str(pack)
    config._cfg_dict['randomness']['seed'] = seed
    finish_config(config, options, data_root)
    use_stored_sizes(config, str(source), options)
    config.work_dir, config.load_from = str(work_dir), str(source)
    # Of its own, as MMEngine names runs by the second in which they start.
    config.experiment_name = f'adapt_{secrets.token_hex(4)}'
    config.log_level = 'WARNING'
    return config


def train(config: Config, progress: Report) -> str:
    """Train, or go on from the last checkpoint.

    Args:
        config (Config): Of :func:`training_config`.
        progress (Callable): Is told the progress, see
            :data:`~gvhmr_da_mm.video.stage_clock.Report`.

    Returns:
        str: Why the training was stopped, or '' if it is complete.
    """
    work_dir = Path(config.work_dir)
    problem = work_dir / PROBLEM
    if problem.is_file():
        return json.loads(problem.read_text(encoding='utf-8'))['problem']
    if trained_file(config).is_file():
        return ''
    check_training(config)
    last = find_last_checkpoint(config.work_dir) if work_dir.is_dir() else None
    if last:
        config.resume, config.load_from = True, last
    runner = Runner.from_cfg(config)
    runner.register_hook(_ProgressHook(progress), priority='VERY_LOW')
    try:
        runner.train()
    except (TrainingCollapseError, DivergenceError) as error:
        write_atomically(problem, json.dumps(dict(problem=str(error))))
        return str(error)
    # The state of the optimisers, which is large, is of no more use.
    save_weights(trained_file(config), trained_file(config), config.model)
    return ''


def trained_file(config: Config) -> Path:
    """Return the checkpoint of the complete training.

    Args:
        config (Config): Of the training.

    Returns:
        Path: The last one; it need not exist.
    """
    return Path(config.work_dir) / f'epoch_{config.train_cfg.max_epochs}.pth'


def save_weights(path: Path, checkpoint: Path, model: ConfigDict) -> None:
    """Write the weights of a checkpoint with the config of their model.

    Args:
        path (Path): The file, which may be the checkpoint.
        checkpoint (Path): The checkpoint.
        model (ConfigDict): The config.
    """
    content = read_checkpoint(checkpoint)
    text = Config(dict(model=model.to_dict()), format_python_code=False).pretty_text
    with open_atomically(path) as file:
        torch.save(dict(state_dict=content.state_dict, meta=dict(cfg=text)), file)


class _ProgressHook(Hook):
    """Tell the progress of a training."""

    def __init__(self, progress: Report) -> None:
        self.progress = progress

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Report the iterations that are done."""
        self.progress('adapt', runner.iter + 1, runner.max_iters)
