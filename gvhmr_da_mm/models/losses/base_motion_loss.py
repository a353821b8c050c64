"""Base of the supervised losses of GVHMR."""

from abc import abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...body_models import LightBody
from ...core.camera import (
    perspective_project,
    to_box_coordinates,
    weak_camera_from_translation,
)
from ...core.constants import joint_index
from ...core.conventions import NEAR_DEPTH, STATIC_JOINTS
from ...core.errors import ConfigError
from ...core.filtering import static_mask
from ...core.layout import MOTION
from ...core.trajectory import integrate_velocity
from ...structures import BodyTargets, MotionPrediction, MotionTargets
from ..across_ranks import mean_denominator

WEAK_SCALE_RANGE = (0.3, 5.0)
WEAK_SHIFT_LIMIT = 3.0


class BaseMotionLoss(nn.Module):
    """Weighted terms between a prediction and its targets.

    Note:
        - B: batch, L: frames, V: vertices, J: joints.
        - Every term is a mean over all its elements; masked frames and points are zeros in the
          numerator but stay in the denominator, as in the published schedule, so short clips
          weigh less. ``normalize_by_valid`` divides by the valid share instead.

    Args:
        weights (dict[str, float]): Weight of each term of :meth:`terms`.
        normalize_by_valid (bool): Average over valid frames only. Defaults to False.

    Raises:
        ConfigError: If a weight is negative.
    """

    def __init__(self, weights: dict[str, float], normalize_by_valid: bool = False) -> None:
        super().__init__()
        negative = {name: weight for name, weight in weights.items() if weight < 0}
        if negative:
            raise ConfigError(f'loss weights should not be negative, got {negative}')
        self.weights = weights
        self.normalize_by_valid = normalize_by_valid

    def forward(self, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Return the weighted terms under ``<term>_loss``; arguments as :meth:`terms`."""
        terms = self.terms(*args, **kwargs)
        return {f'{name}_loss': self.weights[name] * value for name, value in terms.items()}

    def terms(
        self,
        prediction: MotionPrediction,
        targets: MotionTargets,
        body_targets: BodyTargets,
        target_x: Tensor,
        inputs: dict[str, Tensor],
        body: LightBody,
        body_model: nn.Module,
    ) -> dict[str, Tensor]:
        """Compute the unweighted terms.

        Args:
            prediction (MotionPrediction): Decoded network output with graph.
            targets (MotionTargets): The supervision; ``targets.valid`` masks the frames.
            body_targets (BodyTargets): Joints and vertices of the targets.
            target_x (Tensor): The targets as a normalised motion vector (B, L, 151).
            inputs (dict[str, Tensor]): ``bbx_xys`` (B, L, 3) and ``K_fullimg`` (B, L, 3, 3).
            body (LightBody): Vertices and COCO joints of the prediction in the camera, with graph.
            body_model (nn.Module): The light SMPL-X body, for the joints.

        Returns:
            dict[str, Tensor]: Scalars.
        """
        with torch.no_grad():
            joints = body_model.fk_matrices(*targets.camera_pose)
        pred_joints = body_model.fk_matrices(*prediction.camera_pose)
        terms = dict(
            self._body_terms(prediction, targets, pred_joints, joints, body, body_targets, inputs),
            simple=self._simple(prediction.x, target_x, targets),
            transl_c=self._camera(prediction.pred_cam, targets, body_targets, inputs),
            transl_w=self._mean(_trajectory_error(prediction, targets), targets.world_valid),
            static_conf=self._static(prediction, targets, body_model),
        )
        terms = {name: terms[name] for name in self.weights}
        if self.normalize_by_valid:
            valid = targets.valid
            share = mean_denominator(valid.sum()) / valid.numel()
            terms = {name: value / share for name, value in terms.items()}
        return terms

    @abstractmethod
    def _body_terms(
        self,
        prediction: MotionPrediction,
        targets: MotionTargets,
        pred_joints: Tensor,
        joints: Tensor,
        body: LightBody,
        body_targets: BodyTargets,
        inputs: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Compute the terms of the body in the camera, as means over all elements.

        Args:
            prediction (MotionPrediction): As for :meth:`terms`.
            targets (MotionTargets): As there.
            pred_joints (Tensor): Joints of the prediction (B, L, 22, 3), metres, with graph.
            joints (Tensor): Joints of the targets (B, L, 22, 3), metres.
            body (LightBody): As for :meth:`terms`.
            body_targets (BodyTargets): As there.
            inputs (dict[str, Tensor]): As there.
        """

    @staticmethod
    def _mean(error: Tensor, mask: Tensor) -> Tensor:
        """Average over all elements, those of masked frames (B, L) counting as zero."""
        while mask.ndim < error.ndim:
            mask = mask[..., None]
        return torch.where(mask, error, 0.0).mean()

    def _simple(self, x: Tensor, target_x: Tensor, targets: MotionTargets) -> Tensor:
        """MSE of the motion vector; camera-only clips skip the world channels."""
        mask = targets.valid[..., None].expand_as(x).clone()
        mask[..., MOTION.world] = targets.world_valid[..., None]
        return self._mean((x - target_x) ** 2, mask)

    def _camera(
        self,
        pred_cam: Tensor,
        targets: MotionTargets,
        body_targets: BodyTargets,
        inputs: dict[str, Tensor],
    ) -> Tensor:
        """MSE of the weak camera where the label's is plausible."""
        size = inputs['bbx_xys'][..., 2]
        camera = weak_camera_from_translation(
            targets.transl_c, inputs['bbx_xys'], inputs['K_fullimg']
        )
        scale, shift = camera[..., 0], camera[..., 1:]
        plausible = (
            targets.valid
            & (body_targets.coco17_c[..., 2].amin(dim=-1) > NEAR_DEPTH)
            & (scale > WEAK_SCALE_RANGE[0])
            & (scale < WEAK_SCALE_RANGE[1])
            & (shift.abs() < WEAK_SHIFT_LIMIT).all(dim=-1)
            & (size > 0)
        )
        camera = torch.where(plausible[..., None], camera, pred_cam.detach())
        return self._mean((pred_cam - camera) ** 2, plausible)

    @staticmethod
    def _box_points(
        points: Tensor, target_points: Tensor, mask: Tensor, inputs: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Project points and targets to box coordinates, and say where both are visible."""
        K, bbx_xys = inputs['K_fullimg'], inputs['bbx_xys']
        has_box = bbx_xys[..., 2] > 0
        # Boxes of size zero are replaced before the division: masking after it leaves NaNs.
        bbx_xys = torch.where(has_box[..., None], bbx_xys, 1.0)
        in_front = (points[..., 2] > NEAR_DEPTH) & (target_points[..., 2] > NEAR_DEPTH)
        projected = _safe_box_projection(points, K, bbx_xys)
        target = _safe_box_projection(target_points, K, bbx_xys)
        inside = ((target > 0) & (target < 1)).all(dim=-1)
        return projected, target, in_front & inside & (mask & has_box)[..., None]

    def _static(
        self, prediction: MotionPrediction, targets: MotionTargets, body_model: nn.Module
    ) -> Tensor:
        """Cross-entropy of the static-joint logits."""
        labels = targets.static
        if labels is None:
            with torch.no_grad():
                joints_w = body_model.fk_matrices(
                    targets.body_pose_R, targets.betas, targets.R_w, targets.transl_w
                )
            labels = static_mask(joints_w[..., joint_index(STATIC_JOINTS, joints_w), :])
        logits = prediction.static_logits
        error = F.binary_cross_entropy_with_logits(logits, labels.to(logits), reduction='none')
        return self._mean(error, targets.world_valid)


def root_relative(joints: Tensor) -> Tensor:
    """Express joints (..., J, 3) relative to the first."""
    return joints - joints[..., :1, :]


def _safe_box_projection(points: Tensor, K: Tensor, bbx_xys: Tensor) -> Tensor:
    """Project points to box coordinates; those at or behind the near plane become constants."""
    near = points[..., 2:].abs() <= NEAR_DEPTH
    points = torch.where(near, NEAR_DEPTH, points)
    return to_box_coordinates(perspective_project(points, K), bbx_xys)


def _trajectory_error(prediction: MotionPrediction, targets: MotionTargets) -> Tensor:
    """L1 between the true trajectory and predicted velocities along the true orientation."""
    transl_w = integrate_velocity(targets.R_w, prediction.velocity, targets.transl_w[:, :1])
    return (transl_w - targets.transl_w).abs()
