"""An adaptation of seconds in which everything that has a state has one."""

from pathlib import Path
from typing import Any, Union

from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.optim import CosineAnnealingLR, MultiStepLR

from tests.testing.tiny_run import tiny_config

PathLike = Union[str, Path]
OPTIONS = {
    'model.estimator.backbone.latent_dim': 32,
    'model.estimator.backbone.num_layers': 1,
    'model.estimator.backbone.num_heads': 2,
    'model.estimator.backbone.dropout': 0.1,
    'model.estimator.head.latent_dim': 32,
    'model.critic.discriminator.hidden_size': 16,
    'model.critic.discriminator.attention_size': 8,
    'model.critic.discriminator.num_layers': 1,
    'model.pseudo_labeler.refiner.steps': 2,
    'model.critic.queue.size': 8,
    'model.pseudo_labeler.num_augmentations': 2,
    # Few true motions are enough for confidences, and low ones for labels.
    'model.critic.calibrator.size': 16,
    'model.critic.calibrator.min_scores': 4,
    'model.critic.adversarial_weight': 0.1,
    'default_hooks.confidence_threshold.start': 0.05,
    'default_hooks.confidence_threshold.end': 0.3,
    'optim_wrapper.model.accumulative_counts': 2,
    'default_hooks.checkpoint.max_keep_ckpts': 2,
    'default_hooks.checkpoint.rolling_interval': 2,
    'visualizer.vis_backends': [dict(type='LocalVisBackend')],
}
FRAMES = 32


class MeanShape(BaseMetric):
    """A number that depends on the weights, without the meshes that real metrics load."""

    def process(self, data_batch: Any, data_samples: list[dict]) -> None:
        """Keep a number of each sample."""
        for sample in data_samples:
            self.results.append(float(sample['pred_instances']['betas'].double().mean()))

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        """Average them."""
        return dict(mean_shape=sum(results) / len(results))


def soak_config(
    path: PathLike,
    data_root: PathLike,
    work_dir: PathLike,
    epochs: int = 3,
    batches: int = 5,
    validate: bool = True,
    num_workers: int = 0,
) -> Config:
    """Return a config of two optimisers, accumulation over the ends of epochs and two schedules.

    Args:
        path (str | Path): The tiny adaptation config.
        data_root (str | Path): Where all data is.
        work_dir (str | Path): Where logs and checkpoints go.
        epochs (int): Defaults to 3.
        batches (int): Batches per epoch; an odd number leaves gradients behind. Defaults to 5.
        validate (bool): Validate one sequence after each epoch. Defaults to True.
        num_workers (int): Processes that load data, which must not matter. Defaults to 0.

    Returns:
        Config: For ``Runner.from_cfg``.
    """
    config = tiny_config(
        path, data_root, work_dir, epochs, batches, validate=validate, options=OPTIONS
    )
    config.train_cfg.val_interval = 1
    config.param_scheduler = dict(
        model=[dict(type=CosineAnnealingLR, T_max=epochs * batches, by_epoch=False)],
        discriminator=[dict(type=MultiStepLR, milestones=[1, 2], gamma=0.5)],
    )
    for source in config.train_dataloader.dataset.datasets.values():
        source.update(min_len=FRAMES, max_len=FRAMES)
    config.train_dataloader.update(num_workers=num_workers, persistent_workers=num_workers > 0)
    if validate:
        config.val_dataloader.update(num_batch_per_epoch=1, num_workers=0)
        config.val_evaluator = dict(type=MeanShape)
        config.model.estimator.test_cfg = None
    return config
