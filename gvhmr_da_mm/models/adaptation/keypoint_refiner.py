"""Fitting a pseudo-label to the detected keypoints before the student learns it."""

from typing import Callable, Optional

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...core.layout import NUM_BODY_JOINTS
from ...core.rotation import axis_angle_to_matrix
from ...registry import MODELS
from ...structures import MotionPrediction
from ..across_ranks import total_over_ranks
from ..losses import ReprojectionLoss

ROOT = 3 * NUM_BODY_JOINTS
DEPTH = ROOT + 3
SIZE = DEPTH + 3


@MODELS.register_module()
class KeypointRefiner:
    """Turn the joints, and move the root, until the body falls on the detected keypoints.

    A teacher's prediction holds nothing that the student does not know already. Fitted to the
    evidence of its own clip it does, in 3D, where the reprojection loss alone says nothing about
    which of the many poses of the same image to prefer: the one nearest to the prediction.

    Minimises the reprojection penalty plus ``prior`` times the squared change of a frame (rad) plus
    ``smoothness`` times its squared difference between frames, by Adam from zero change.

    Note:
        - B: batch, L: frames.
        - The penalty is a mean over all detections of a batch, and the other terms are means over
          its clips. With several ranks these counts are those of all ranks, so that a clip's label
          does not depend on how many there are.
        - Shape, contacts and the direction of gravity in the camera stay as predicted, and so does
          the path in the world.

    Args:
        steps (int): Iterations. Defaults to 30.
        lr (float): Of each iteration, rad. Defaults to 0.02.
        prior (float): Defaults to 7e-5.
        smoothness (float): Defaults to 0.01.

    Raises:
        ConfigError: If a value is out of range.

    Source: fitting a regressor's output to 2D evidence for self-training, as in SPIN (Kolotouros et
    al., ICCV 2019) and EFT (Joo et al., 3DV 2021); the terms are our own.
    """

    def __init__(
        self,
        steps: int = 30,
        lr: float = 0.02,
        prior: float = 7e-5,
        smoothness: float = 0.01,
    ) -> None:
        if steps < 1 or lr <= 0 or prior < 0 or smoothness < 0:
            raise ConfigError(
                'KeypointRefiner needs `steps` >= 1, `lr` > 0, `prior` and `smoothness` >= 0, got '
                f'{steps}, {lr}, {prior} and {smoothness}'
            )
        self.steps = steps
        self.lr = lr
        self.prior = prior
        self.smoothness = smoothness

    def __call__(
        self,
        prediction: MotionPrediction,
        inputs: dict[str, Tensor],
        reprojection: ReprojectionLoss,
        coco_joints: Callable[[MotionPrediction], Tensor],
        keep: Optional[Tensor] = None,
        across_ranks: bool = True,
    ) -> MotionPrediction:
        """Refine clips that hold finite numbers.

        Args:
            prediction (MotionPrediction): In the original camera.
            inputs (dict[str, Tensor]): ``kp2d``, ``bbx_xys``, ``K_fullimg`` and ``valid``.
            reprojection (ReprojectionLoss): The penalty.
            coco_joints (Callable): Gives the COCO joints (B, L, 17, 3) of a prediction in the
                camera.
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
        detections = (reprojection.counts(inputs) & keep[:, None, None]).sum()
        totals = torch.stack((detections, keep.sum()))
        totals = (total_over_ranks(totals) if across_ranks else totals).clamp(min=1)
        if keep.all():
            return self._refine(prediction, inputs, reprojection, coco_joints, totals)
        chosen, others = keep.nonzero()[:, 0], (~keep).nonzero()[:, 0]
        refined = self._refine(
            prediction[chosen],
            {name: value[chosen] for name, value in inputs.items()},
            reprojection,
            coco_joints,
            totals,
        )
        together = MotionPrediction.cat([refined, prediction[others]])
        return together[torch.cat((chosen, others)).argsort()]

    def _refine(
        self,
        prediction: MotionPrediction,
        inputs: dict[str, Tensor],
        reprojection: ReprojectionLoss,
        coco_joints: Callable[[MotionPrediction], Tensor],
        totals: Tensor,
    ) -> MotionPrediction:
        """Refine all clips; ``totals`` (2,) are the detections and clips to average over."""
        change = prediction.betas.new_zeros(*prediction.valid.shape, SIZE)
        if change.numel() == 0:
            return prediction.replace(x=None)
        frames = change.shape[1]
        detections, clips = totals
        with torch.enable_grad():
            change.requires_grad_()
            optimizer = torch.optim.Adam([change], lr=self.lr)
            for _ in range(self.steps):
                coco17_c = coco_joints(_apply(prediction, change))
                penalty = reprojection(coco17_c, inputs, detections)
                drift = change[..., :DEPTH].square().sum() / (clips * frames)
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
