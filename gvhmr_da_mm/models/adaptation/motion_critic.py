"""Motion critic: a discriminator with its queue of true motion, target and calibrator."""

from collections.abc import Sequence
from typing import Optional

import torch
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from torch import Tensor

from ...core.errors import ConfigError
from ...registry import MODELS
from ...structures import MotionPrediction
from ..across_ranks import gather_clips
from ..heads.motion_discriminator import (
    discriminator_loss,
    discriminator_pose,
    frozen,
    generator_adversarial_loss,
    score_together,
)
from ..losses import check_loss_weight


@MODELS.register_module()
class MotionCritic(BaseModule):
    """Learn how true a motion looks from synthetic labels and the student's predictions.

    The discriminator scores pseudo-labels, and with an adversarial weight trains the student. True
    motions and their scores are those of all ranks.

    Note:
        B: batch, L: frames, N: candidates of each clip.

    Args:
        discriminator (dict, optional): Scores pose sequences. Defaults to None:
            ``dict(type='MotionDiscriminator')``.
        target (dict, optional): Discriminator target of predictions. Defaults to
            ``dict(type='NearestMotionTarget')``; None: 0 for all.
        calibrator (dict, optional): Turns scores into confidences. Defaults to None:
            ``dict(type='ConfidenceCalibrator')``.
        queue (dict, optional): Stores true motion. Defaults to None:
            ``dict(type='MotionQueue')``.
        steps (int): Updates of the discriminator per real iteration. Defaults to 1.
        loss_weight (float): Weight of the discriminator's own loss (``discriminator_weight`` of the
            published recipe); 0: it is not trained. Defaults to 1.
        adversarial_weight (float): Weight of the student's adversarial loss; 0: off. Defaults to
            0.
        learn_from_synthetic (bool): Whether predictions of synthetic clips train the discriminator,
            too. Defaults to False: those of real clips alone, which it has to judge.
        init_cfg (dict, optional): Weight initialisation. Defaults to None.

    Raises:
        ConfigError: If a weight is negative or ``steps`` is below 0.
    """

    def __init__(
        self,
        discriminator: Optional[dict] = None,
        target: Optional[dict] = dict(type='NearestMotionTarget'),  # noqa: B006
        calibrator: Optional[dict] = None,
        queue: Optional[dict] = None,
        steps: int = 1,
        loss_weight: float = 1.0,
        adversarial_weight: float = 0.0,
        learn_from_synthetic: bool = False,
        init_cfg: Optional[dict] = None,
    ) -> None:
        super().__init__(init_cfg)
        if steps < 0:
            raise ConfigError(f'`steps` of MotionCritic should be at least 0, got {steps}')
        self.discriminator = MODELS.build(discriminator or dict(type='MotionDiscriminator'))
        self.target = target and MODELS.build(target)
        self.calibrator = MODELS.build(calibrator or dict(type='ConfidenceCalibrator'))
        self.queue = MODELS.build(queue or dict(type='MotionQueue'))
        self.steps = steps
        self.loss_weight = check_loss_weight(self, loss_weight)
        self.learn_from_synthetic = learn_from_synthetic
        self.adversarial_weight = check_loss_weight(self, adversarial_weight, 'adversarial_weight')

    @torch.no_grad()
    def observe(self, body_pose: Tensor, valid: Tensor) -> None:
        """Add true motion to the queue and to the statistics of the discriminator's input.

        Args:
            body_pose (Tensor): Labels of this rank's synthetic clips (B, L, 63), rad.
            valid (Tensor): Frames that exist (B, L), bool.
        """
        true_pose, valid = gather_clips(discriminator_pose(body_pose)), gather_clips(valid)
        self.queue.push(true_pose, valid)
        self.discriminator.observe(true_pose, valid)

    @torch.no_grad()
    def confidence(self, candidates: Sequence[MotionPrediction]) -> Tensor:
        """Return the calibrated scores (N, B) of N candidates, in [0, 1]."""
        body_pose_R = torch.cat([one.body_pose_R for one in candidates])
        valid = torch.cat([one.valid for one in candidates])
        return self.rate(body_pose_R, valid).view(len(candidates), -1)

    @torch.no_grad()
    def rate(self, body_pose: Tensor, valid: Tensor) -> Tensor:
        """Return the calibrated scores of clips, in [0, 1].

        Args:
            body_pose (Tensor): Axis-angle (B, L, 63), rad, or matrices (B, L, 21, 3, 3).
            valid (Tensor): Frames that exist (B, L), bool.

        Returns:
            Tensor: Shape (B,).
        """
        return self.calibrator(self.discriminator.score(discriminator_pose(body_pose), valid))

    def adversarial_loss(self, pose: Tensor, valid: Tensor) -> Tensor:
        """Return the student's weighted loss; the discriminator gets no gradient.

        Args:
            pose (Tensor): Predicted poses (B, L, 69) with graph, rad.
            valid (Tensor): Valid frames (B, L), bool.
        """
        with frozen(self.discriminator):
            # To full precision: autocast would leave the loss in half of it.
            scores = self.discriminator(pose, valid).to(pose)
        return self.adversarial_weight * generator_adversarial_loss(scores)

    def learn(self, pose: Tensor, valid: Tensor, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train the discriminator on true motion from the queue and on predictions.

        Args:
            pose (Tensor): Predicted poses (B, L, 69) without graph, rad.
            valid (Tensor): Their valid frames (B, L), bool.
            optim_wrapper (OptimWrapper): The discriminator's.

        Returns:
            dict[str, Tensor]: The last losses; empty without true motion, weight or steps.
        """
        logs: dict[str, Tensor] = {}
        if not self.loss_weight or not len(self.queue):
            return logs
        for _ in range(self.steps):
            logs = self._step(pose, valid, optim_wrapper)
        return logs

    def _step(self, pose: Tensor, valid: Tensor, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        target = 0.0 if self.target is None else self.target(pose, valid, self.queue)
        true_pose, true_valid = self.queue.sample(len(pose))
        with optim_wrapper.optim_context(self.discriminator):
            true_scores, fake_scores = score_together(
                self.discriminator, (true_pose, true_valid), (pose, valid)
            )
            real, fake = discriminator_loss(true_scores, fake_scores, target)
        optim_wrapper.update_params(self.loss_weight * (real + fake))
        if self.calibrator.needs_true_scores:
            scores = self.discriminator.score(true_pose, true_valid)
            self.calibrator.update(gather_clips(scores))
        return dict(discriminator_real_loss=real.detach(), discriminator_fake_loss=fake.detach())
