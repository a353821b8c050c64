"""Fitting a prediction to the detected keypoints: a pseudo-label, or a test clip's."""

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

DEPTH = 3 * NUM_BODY_JOINTS + 3
SIZE = DEPTH + 3
RAMP = 10
"""Iterations in which the learning rate rises, and those in which it falls."""


@MODELS.register_module()
class KeypointRefiner:
    """Turn the joints, and move the root, until the body falls on the detected keypoints.

    A teacher's prediction holds nothing that the student does not know already. Fitted to the
    evidence of its own clip it does, in 3D, where the reprojection loss alone says nothing about
    which of the many poses of the same image to prefer: the one nearest to the prediction.

    Minimises the reprojection penalty plus ``prior`` times the squared change of the body pose of a
    frame plus ``smoothness`` times the squared difference of the turns (rad) between frames, by
    Adam from zero change. The change of the pose is told as the network tells it, in 6D and in
    deviations of true motion: a knee that hardly ever twists does not twist here.

    Note:
        - B: batch, L: frames.
        - The penalty is a mean over all detections of a batch, and the other terms are means over
          its clips. With several ranks these counts are those of all ranks, so that a clip's label
          does not depend on how many there are.
        - Shape, contacts and the direction of gravity in the camera stay as predicted, and so does
          the path in the world.

    Args:
        steps (int): Iterations. Defaults to 30, for pseudo-labels; twice as many fit better, at
            test time.
        lr (float): Of each iteration, rad; it rises to this in the first ten and falls in the last
            ten, as all joints together would overshoot what each of them should do alone.
            Defaults to 0.06.
        prior (float): Defaults to 3e-6.
        smoothness (float): Defaults to 0.003.
        min_std (float): Smallest deviation of a channel of the 6D pose, against joints that stand
            still in the statistics. Defaults to 0.1.

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
        """Refine clips that hold finite numbers.

        Args:
            prediction (MotionPrediction): In the original camera.
            inputs (dict[str, Tensor]): ``kp2d``, ``bbx_xys``, ``K_fullimg`` and ``valid``.
            reprojection (ReprojectionLoss): Its unweighted penalty is minimised.
            model (MotionEstimator): Has the body, and in its codec the deviations of true motion.
            keep (Tensor, optional): Clips to refine (B,), bool; the others stay as they are.
                Defaults to None: all.
            across_ranks (bool): Whether the clips of all ranks are one batch, as in training, where
                all ranks have to call this together. Defaults to True.

        Returns:
            MotionPrediction: Without graph; ``x`` is None.
        """
        if keep is None:
            keep = torch.ones_like(prediction.valid[:, 0])
        # Before any rank may leave, as all have to take part.
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
        """Refine all clips; ``totals`` (2,) are the detections and clips to average over."""
        change = prediction.betas.new_zeros(*prediction.valid.shape, SIZE)
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
                ramp = min(1.0, (step + 1) / RAMP, (self.steps - step) / RAMP)
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
    """Turn body joints and root by rotation vectors, and move the root in shares of its depth."""
    turn = axis_angle_to_matrix(change[..., :DEPTH].unflatten(-1, (-1, 3)))
    turn_body, turn_root = turn[..., :NUM_BODY_JOINTS, :, :], turn[..., NUM_BODY_JOINTS, :, :]
    shift = change[..., DEPTH:] * prediction.transl_c[..., 2:].abs()
    return prediction.replace(
        body_pose_R=prediction.body_pose_R @ turn_body,
        R_c=prediction.R_c @ turn_root,
        R_gv=prediction.R_gv @ turn_root,
        # The same path, told in the frame of the turned root.
        velocity=(turn_root.mT @ prediction.velocity[..., None]).squeeze(-1),
        transl_c=prediction.transl_c + shift,
        x=None,
    )
