"""Adaptation without labelled clips: what the checkpoint carries takes their place."""

from typing import Any, Optional

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from ...core.errors import CheckpointError, ConfigError
from ...models.adaptation import MotionCritic
from ...registry import HOOKS
from ..student_updates import StudentUpdates
from ..unwrap import unwrap_model


@HOOKS.register_module()
class SourceFreeHook(Hook):
    """Keep the student near the source where no labelled clip does.

    Acts only if the training data has no synthetic clips. After each update the student's weights
    go back towards those of the source by a small share (L2-SP), so that it does not forget what
    unlabelled clips do not show. The source's weights are those at the start of the run; they are
    kept in checkpoints by :class:`TrainingStateHook`. The discriminator learns from the true motion
    in the checkpoint. Priority ``NORMAL``.

    Args:
        strength (float): Share of the way back to the source in each update, in [0, 1). Defaults to
            0.002.

    Raises:
        ConfigError: If ``strength`` is not in [0, 1).

    Source: Li et al., Explicit inductive bias for transfer learning, ICML 2018 (L2-SP); here apart
    from the gradient, as the weight decay of AdamW.
    """

    def __init__(self, strength: float = 0.002) -> None:
        if not 0 <= strength < 1:
            raise ConfigError(f'`strength` of SourceFreeHook should be in [0, 1), got {strength}')
        self.strength = strength
        self._updates = StudentUpdates('SourceFreeHook')
        self._source: dict[str, Tensor] = {}

    def before_train(self, runner: Runner) -> None:
        """Check what the checkpoint carries, and keep the source's weights.

        Raises:
            CheckpointError: If there is neither a labelled clip nor stored true motion.
        """
        self._source = {}
        if getattr(runner.train_dataloader.dataset, 'sources', {}).get('synthetic'):
            return
        model = unwrap_model(runner)
        critic = getattr(model, 'critic', None)
        if isinstance(critic, MotionCritic):
            check_true_motion(critic)
        self._source = {name: value.detach().clone() for name, value in _weights(model).items()}
        self._updates.start(runner)
        runner.logger.info(
            'Source-free: there are no labelled clips, so the weights are pulled towards those of '
            'the source'
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the weights of the source, for :class:`TrainingStateHook`."""
        return dict(source=self._source)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the state that :meth:`state_dict` returned."""
        source = state_dict['source']
        self._source = {
            name: source[name].to(value) for name, value in self._source.items() if name in source
        }

    @torch.no_grad()
    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Pull the student towards the source if it has just been updated."""
        if not self._source or not self.strength or not self._updates.happened(runner):
            return
        for name, value in _weights(unwrap_model(runner)).items():
            value.lerp_(self._source[name], self.strength)


def check_true_motion(critic: Optional[MotionCritic]) -> None:
    """Check that a discriminator has true motion to learn from.

    Args:
        critic (MotionCritic, optional): Of a checkpoint; None: it has none.

    Raises:
        CheckpointError: If it has none; names the remedies.
    """
    if critic is None or not len(critic.queue):
        raise CheckpointError(
            'no labelled clips are trained on, and the checkpoint has no true motion for the '
            'discriminator to learn from (`critic.queue`). Load one that has: train a '
            'discriminator for it on motion capture with configs/critic_keypoints_s_cmu.py '
            '(docs/en/adaptation.md#without-source-data); or put labelled clips (BEDLAM) into '
            'the data root; or do without the discriminator: `--cfg-options model.critic=None '
            'model.pseudo_labeler.confidence.weights.reprojection=1.0`'
        )


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the parameters of the student by name."""
    return dict(getattr(model, 'student', model).named_parameters())
