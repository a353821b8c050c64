"""Objective of the fit to keypoints, with its gradient written out."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...body_models import PointChain, PosedPoints
from ...core.filtering import gaussian_smooth, hold_last_valid
from ...core.frames_last import Turn, frames_last, matrix_product, turn
from ...core.keypoint_residual import KeypointResidual
from ...core.layout import MOTION, NUM_JOINTS
from ...core.precision import full_precision
from ...structures import MotionPrediction
from ..losses import ReprojectionLoss
from ..motion_estimator import MotionEstimator
from .box_projection import BoxProjection

ROOT_STEPS = 5
ROOT_SMOOTHING = 10.0
"""Sigma in frames over the equations of the root's first shift."""
ROOT_DAMPING = 1e-6
"""Resistance of the root to that shift, as a share of the trace of its equations."""


class FitWeights(NamedTuple):
    """Weights of the terms of :class:`FitObjective`.

    Attributes:
        prior (float): Of the pose change.
        noise (float): Tremor of the keypoints up to which ``prior`` holds, see
            :func:`.keypoint_tremor`.
        max_noise (float): Prior and smoothness grow by the square of this at most, see
            :func:`growth`.
        smoothness (float): Of the difference between frames.
        min_std (float): Lower bound of the standard deviation of a 6D channel.
    """

    prior: float
    noise: float
    max_noise: float
    smoothness: float
    min_std: float


def growth(tremor: Tensor, noise: float, max_noise: float) -> tuple[Tensor, Tensor]:
    """Return the factors (B,) of the prior and of the smoothness by the tremor of keypoints (B,).

    The prior grows with the variance of the keypoints, and the smoothness, against which tremor
    works most, with its square. Both grow up to the same factor.
    """
    variance = (tremor / noise).clamp(1, max_noise).square()
    return variance, variance.square().clamp(max=max_noise**2)


class WholeClips(NamedTuple):
    """What a window of clips does not tell about the whole of them.

    Terms that are weighted by it add up over windows to those of the clips in one piece.

    Attributes:
        detections (Tensor): Detections to average over, a scalar.
        clips (Tensor): Clips to average over, a scalar.
        frames (int): Frames of a clip, with padding.
        tremor (Tensor): Tremor of each clip's keypoints (B,), see :func:`.keypoint_tremor`.
    """

    detections: Tensor
    clips: Tensor
    frames: int
    tremor: Tensor


class FitObjective:
    """Reprojection penalty plus the cost of the change, as a function of the change.

    Only the penalty as a function of the distances is left to autograd; the rest of the gradient is
    written out.

    Note:
        - B: batch, L: frames, N = B L. Frames are the last dimension, see
          :mod:`~gvhmr_da_mm.core.frames_last`.
        - A change (3, 23, N) holds the rotation vectors of the root and the 21 body joints, each in
          the joint's own frame, rad, then the shift of the root as a share of its depth.

    Args:
        prediction (MotionPrediction): What is changed.
        inputs (dict[str, Tensor]): ``kp2d``, ``bbx_xys``, ``K_fullimg`` and ``valid``.
        reprojection (ReprojectionLoss): Gives the penalty.
        model (MotionEstimator): Provides the body and the standard deviations.
        weights (FitWeights): Weights of the terms.
        whole (WholeClips): Numbers of the clips of which these may be windows.
    """

    def __init__(
        self,
        prediction: MotionPrediction,
        inputs: dict[str, Tensor],
        reprojection: ReprojectionLoss,
        model: MotionEstimator,
        weights: FitWeights,
        whole: WholeClips,
    ) -> None:
        self.reprojection = reprojection
        self.valid = reprojection.valid_mask(inputs)
        self.projection = BoxProjection(inputs, self.valid)
        self.frames = prediction.valid
        self.shape = prediction.valid.shape
        self.detections = whole.detections
        body = model.body_model.coco_body
        R_local = torch.cat((prediction.R_c[:, :, None], prediction.body_pose_R), dim=2)
        self.R_local = frames_last(R_local.to(body.dtype).mT)
        self.transl = frames_last(prediction.transl_c[:, :, None].to(body.dtype))
        self.depth = self.transl[2].abs()
        self.chain = PointChain(body, prediction.betas.flatten(0, 1))
        std = model.motion_codec.std[MOTION.body_pose].clamp(min=weights.min_std)
        std = std.to(self.R_local).view(-1, 2, 3).permute(1, 2, 0)
        drift_weight = weights.prior / (whole.clips * whole.frames) / std.square()
        drift_weight = F.pad(drift_weight, (1, 0))[..., None]  # None for the root.
        # The most likely pose weighs the prior by the variance of the keypoints.
        trust, calm = growth(whole.tremor, weights.noise, weights.max_noise)
        trust = trust.repeat_interleave(self.shape[1])
        self.drift_weight = drift_weight * trust.to(drift_weight)
        jump_weight = weights.smoothness / (whole.clips * max(whole.frames - 1, 1))
        self.jump_weight = jump_weight * calm.to(drift_weight)

    def zero_change(self) -> Tensor:
        """Return the change that leaves the prediction as it is."""
        return self.R_local.new_zeros(3, NUM_JOINTS + 1, self.R_local.shape[-1])

    @full_precision
    @torch.no_grad()
    def root_change(self) -> Tensor:
        """Return the change that moves the root alone to where the body meets the detections.

        It is the same share of the depth for neighbouring frames, and zero for clips whose
        objective it does not lower.

        Source: iteratively reweighted least squares (Holland and Welsch, 1977).
        """
        change = self.zero_change()
        posed = self.chain.pose(self.R_local)
        # Far from the detections a robust penalty has no slope: the first step is without weights.
        weight = torch.ones_like(self.projection.valid)
        for _ in range(ROOT_STEPS):
            points = self._points(posed, change)
            change[:, NUM_JOINTS] += self._root_step(points, weight)
            weight = self._slope(self.projection.difference(self._points(posed, change)))
        helped = self.loss(change) < self.loss(self.zero_change())
        change.unflatten(-1, self.shape).masked_fill_(~helped[:, None], 0.0)
        return change

    def _root_step(self, points: Tensor, weight: Tensor) -> Tensor:
        """Return the least-squares shift (3, N) of the root, as a share of its depth."""
        matrix, vector = self.projection.shift_equations(points, weight)
        depth = self.depth.flatten()[:, None]
        equations = torch.cat((matrix * depth[..., None] ** 2, (vector * depth)[..., None]), dim=-1)
        equations = hold_last_valid(equations.unflatten(0, self.shape), self.frames)
        equations = gaussian_smooth(equations, ROOT_SMOOTHING, dim=1).flatten(0, 1)
        matrix, vector = equations.split((3, 1), dim=-1)
        # What the detections say nothing about does not change.
        trace = matrix.diagonal(dim1=-2, dim2=-1).sum(-1)
        damping = torch.where(trace > 0, ROOT_DAMPING * trace, 1.0)
        matrix = matrix + damping[:, None, None] * torch.eye(3).to(matrix)
        return torch.linalg.solve(matrix, vector)[..., 0].T

    @full_precision
    @torch.no_grad()
    def loss(self, change: Tensor) -> Tensor:
        """Return the share of each clip in the objective (B,)."""
        posed, drift, jump = self._evaluate(change, turn(change[:, :NUM_JOINTS]))
        squared = self._by_clip(self.projection.difference(self._points(posed, change)))
        penalty = [self._penalty(*clip) for clip in zip(squared, self.valid)]
        drift = (self.drift_weight * drift.square()).sum((0, 1, 2)).view(self.shape).sum(-1)
        return torch.stack(penalty) + drift + self.jump_weight * jump.square().sum((0, 1, 3))

    @full_precision
    @torch.no_grad()
    def gradient(self, change: Tensor) -> Tensor:
        """Return the gradient of the objective, of the shape of the change."""
        turns = turn(change[:, :NUM_JOINTS])
        posed, drift, jump = self._evaluate(change, turns)
        forces = self._forces(self._points(posed, change))
        torques = self.chain.torques(posed, forces, drift.mul_(2 * self.drift_weight))
        shift = forces.sum(dim=1, keepdim=True) * self.depth
        gradient = torch.cat((turns.gradient(torques), shift), dim=1)
        by_clip = gradient.unflatten(-1, self.shape)
        jump = jump.mul_(2 * self.jump_weight[:, None])
        by_clip[..., 1:] += jump
        by_clip[..., :-1] -= jump
        return gradient

    def _evaluate(self, change: Tensor, turns: Turn) -> tuple[PosedPoints, Tensor, Tensor]:
        """Return the pose, the change of its 6D (2, 3, 22, N) and the jumps (3, 23, B, L - 1)."""
        posed = self.chain.pose(matrix_product(self.R_local, turns.matrix))
        drift = posed.R_local[:2] - self.R_local[:2]
        return posed, drift, change.unflatten(-1, self.shape).diff(dim=-1)

    def _points(self, posed: PosedPoints, change: Tensor) -> Tensor:
        """Return the COCO joints in the camera (3, 17, N)."""
        return posed.points + (self.transl + change[:, NUM_JOINTS:] * self.depth)

    def _by_clip(self, difference: Tensor) -> Tensor:
        """Return the squared lengths (B, L, 17) of differences (2, 17, N)."""
        return difference.square().sum(0).T.unflatten(0, self.shape)

    def _penalty(self, squared: Tensor, valid: Tensor) -> Tensor:
        return self.reprojection.penalty(KeypointResidual(squared, valid), self.detections)

    def _forces(self, points: Tensor) -> Tensor:
        """Return the derivative of the penalty by the points (3, 17, N)."""
        difference = self.projection.difference(points)
        slope = self._slope(difference)
        return self.projection.forces(points, difference.mul_(2 * slope))

    def _slope(self, difference: Tensor) -> Tensor:
        """Return the derivative of the penalty by the squared distances (17, N)."""
        with torch.enable_grad():
            squared = self._by_clip(difference).requires_grad_()
            (slope,) = torch.autograd.grad(self._penalty(squared, self.valid), squared)
        return frames_last(slope)
