"""Fit of predicted motion to detected keypoints."""

from typing import Optional

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...core.layout import MOTION, NUM_BODY_JOINTS
from ...core.rotation import axis_angle_to_matrix, matrix_to_rot6d
from ...registry import MODELS
from ...structures import MotionPrediction
from ..across_ranks import total_over_ranks
from ..losses import ReprojectionLoss
from ..motion_estimator import MotionEstimator

NUM_ANGLES = 3 * NUM_BODY_JOINTS + 3
"""Rotation vectors of the body joints, then of the root."""
NUM_VARIABLES = NUM_ANGLES + 3
"""The angles, then the shift of the root as a share of its depth."""
RAMP_STEPS = 10
"""Iterations of linear warm-up and of linear decay of the learning rate."""


@MODELS.register_module()
class KeypointRefiner:
    """Fit the pose and the position of the body to the detected keypoints of the same clip.

    It minimises the reprojection penalty, plus ``prior`` times the squared change of the body pose
    per frame, plus ``smoothness`` times the squared difference of the changes (rad) of neighbouring
    frames, with Adam from zero change. The pose change is measured in 6D, in standard deviations of
    true motion, so joints that hardly vary in true motion hardly change. Of the many poses with the
    same projection the result is one near the prediction.

    Note:
        - B: batch, L: frames.
        - The penalty is a mean over all detections of a batch, and the other terms are means over
          its clips. In training the counts are those of all ranks, so that a label does not depend
          on the number of ranks.
        - Shape, contacts, the direction of gravity in the camera and the trajectory in the world
          stay as predicted.

    Args:
        steps (int): Iterations. Defaults to 30, for pseudo-labels; the configs use 60 at test time.
        lr (float): Peak learning rate, rad. Without the ramp the joints of a limb overshoot
            together. Defaults to 0.06.
        prior (float): Weight of the pose change. Defaults to 3e-6.
        smoothness (float): Weight of the difference between frames. Defaults to 0.003.
        min_std (float): Lower bound of the standard deviation of a 6D channel: the statistics may
            hold joints that never move. Defaults to 0.1.

    Raises:
        ConfigError: If a value is out of range.

    Source: fitting a regressor's output to 2D evidence for self-training, as in SPIN (Kolotouros et
    al., ICCV 2019) and EFT (Joo et al., 3DV 2021); the terms are our own.
    """

    def __init__(
        self,
        steps: int = 30,
        lr: float = 0.06,
        prior: float = 3e-6,
        smoothness: float = 0.003,
        min_std: float = 0.1,
    ) -> None:
        if steps < 1 or lr <= 0 or prior < 0 or smoothness < 0 or min_std <= 0:
            raise ConfigError(
                'KeypointRefiner needs `steps` >= 1, `lr` > 0, `prior` and `smoothness` >= 0, '
                f'`min_std` > 0, got {steps}, {lr}, {prior}, {smoothness} and {min_std}'
            )
        self.steps = steps
        self.lr = lr
        self.prior = prior
        self.smoothness = smoothness
        self.min_std = min_std

    def __call__(
        self,
        prediction: MotionPrediction,
        inputs: dict[str, Tensor],
        reprojection: ReprojectionLoss,
        model: MotionEstimator,
        keep: Optional[Tensor] = None,
        across_ranks: bool = True,
    ) -> MotionPrediction:
        """Fit the clips.

        Args:
            prediction (MotionPrediction): Clips of finite numbers, in the original camera.
            inputs (dict[str, Tensor]): ``kp2d``, ``bbx_xys``, ``K_fullimg`` and ``valid``.
            reprojection (ReprojectionLoss): Its unweighted penalty is minimised.
            model (MotionEstimator): Provides the body, and in its codec the standard deviations.
            keep (Tensor, optional): Clips to fit (B,), bool; the others are returned unchanged.
                Defaults to None: all.
            across_ranks (bool): Whether to average over the clips of all ranks, as in training; all
                ranks have to call this together then. Defaults to True.

        Returns:
            MotionPrediction: Without graph; ``x`` is None.
        """
        if keep is None:
            keep = torch.ones_like(prediction.valid[:, 0])
        # A collective call: before the early return below.
        detections = (reprojection.valid_mask(inputs) & keep[:, None, None]).sum()
        totals = torch.stack((detections, keep.sum()))
        totals = (total_over_ranks(totals) if across_ranks else totals).clamp(min=1)
        if keep.all():
            return self._refine(prediction, inputs, reprojection, model, totals)
        chosen, others = keep.nonzero()[:, 0], (~keep).nonzero()[:, 0]
        refined = self._refine(
            prediction[chosen],
            {name: value[chosen] for name, value in inputs.items()},
            reprojection,
            model,
            totals,
        )
        together = MotionPrediction.cat([refined, prediction[others]])
        return together[torch.cat((chosen, others)).argsort()]

    def _refine(
        self,
        prediction: MotionPrediction,
        inputs: dict[str, Tensor],
        reprojection: ReprojectionLoss,
        model: MotionEstimator,
        totals: Tensor,
    ) -> MotionPrediction:
        """Fit all clips; ``totals`` (2,) are the detections and clips to average over."""
        change = prediction.betas.new_zeros(*prediction.valid.shape, NUM_VARIABLES)
        if change.numel() == 0:
            return prediction.replace(x=None)
        frames = change.shape[1]
        detections, clips = totals
        predicted = matrix_to_rot6d(prediction.body_pose_R)
        std = model.motion_codec.std[MOTION.body_pose].clamp(min=self.min_std)
        std = std.to(predicted).view(predicted.shape[-2:])
        with torch.enable_grad():
            change.requires_grad_()
            optimizer = torch.optim.Adam([change], betas=(0.8, 0.999))
            for step in range(self.steps):
                ramp = min(1.0, (step + 1) / RAMP_STEPS, (self.steps - step) / RAMP_STEPS)
                optimizer.param_groups[0]['lr'] = self.lr * ramp
                candidate = _apply(prediction, change)
                residual = reprojection.residual(model.coco_joints(candidate), inputs)
                penalty = reprojection.penalty(residual, detections)
                drift = (matrix_to_rot6d(candidate.body_pose_R) - predicted) / std
                drift = drift.square().sum() / (clips * frames)
                jump = change.diff(dim=1).square().sum() / (clips * max(frames - 1, 1))
                loss = penalty + self.prior * drift + self.smoothness * jump
                (change.grad,) = torch.autograd.grad(loss, change)
                optimizer.step()
        refined = _apply(prediction, change.detach())
        return refined.for_box(inputs['bbx_xys'], inputs['K_fullimg'])


def _apply(prediction: MotionPrediction, change: Tensor) -> MotionPrediction:
    """Apply a change (B, L, NUM_VARIABLES) to a prediction."""
    turn = axis_angle_to_matrix(change[..., :NUM_ANGLES].unflatten(-1, (-1, 3)))
    turn_body, turn_root = turn[..., :NUM_BODY_JOINTS, :, :], turn[..., NUM_BODY_JOINTS, :, :]
    shift = change[..., NUM_ANGLES:] * prediction.transl_c[..., 2:].abs()
    return prediction.replace(
        body_pose_R=prediction.body_pose_R @ turn_body,
        R_c=prediction.R_c @ turn_root,
        R_gv=prediction.R_gv @ turn_root,
        # Keeps the trajectory: velocities are in the frame of the root.
        velocity=(turn_root.mT @ prediction.velocity[..., None]).squeeze(-1),
        transl_c=prediction.transl_c + shift,
        x=None,
    )
