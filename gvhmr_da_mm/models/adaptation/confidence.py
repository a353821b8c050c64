"""Confidence of pseudo-labels: scores in [0, 1] from several sources, and their combination.

Note:
    N candidates (views), B samples, L frames. The discriminator's own score comes from
    :meth:`~gvhmr_da_mm.models.heads.motion_discriminator.MotionDiscriminator.score`.
"""

from collections.abc import Sequence
from typing import Optional, Union

import torch
from torch import Tensor

from ...core.checks import check_choice, check_shape
from ...core.errors import ConfigError
from ...core.keypoint_residual import MIN_KEYPOINT_SCORE, keypoint_residual
from ...core.rotation import relative_angle
from ...registry import MODELS
from ...structures.motion import MotionPrediction
from ..views.functional import Inputs

MEAN_KINDS = ('arithmetic', 'geometric')
SOURCES = ('discriminator', 'reprojection', 'agreement')

ScoreAndEvidence = tuple[Tensor, Tensor]
"""Scores in [0, 1], and the mask of those with evidence."""


@torch.no_grad()
def reprojection_confidence(
    coco17_c: Tensor,
    inputs: Inputs,
    scale: float = 0.1,
    clamp: float = 0.25,
    min_keypoint_score: float = MIN_KEYPOINT_SCORE,
) -> ScoreAndEvidence:
    """Score predictions by the distance of their joints from the detected keypoints.

    The score is ``exp(-distance / scale)`` of the mean distance over the valid detections, each
    clamped to limit the effect of wrong ones.

    Args:
        coco17_c (Tensor): Predicted COCO joints in the camera (B, L, 17, 3), metres.
        inputs (dict[str, Tensor]): The plain inputs.
        scale (float): Mean distance whose score is 1/e, in box sides. Defaults to 0.1.
        clamp (float): Largest distance of a keypoint, in box sides. Defaults to 0.25.
        min_keypoint_score (float): Detections at or below this score are ignored. Defaults to 0.5.

    Returns:
        tuple[Tensor, Tensor]: Scores (B,), 0 where a prediction is not finite or where there is no
        evidence; and whether there is evidence (B,), bool.
    """
    check_shape(coco17_c, 'B L 17 3', name='coco17_c')
    residual = keypoint_residual(coco17_c, inputs, min_keypoint_score)
    # NaN survives the clamp and turns into score 0.
    total = residual.distance.clamp(max=clamp).sum(dim=(-2, -1))
    count = residual.valid.sum(dim=(-2, -1))
    score = torch.exp(-total / count.clamp(min=1) / scale).nan_to_num(0)
    return score * (count > 0), count > 0


@torch.no_grad()
def pairwise_angle(candidates: Sequence[MotionPrediction]) -> Tensor:
    """Return the mean angles between candidates.

    Args:
        candidates (Sequence[MotionPrediction]): N predictions in the same camera.

    Returns:
        Tensor: Mean angle in radians (N, N, B) over the 21 body joints, the root in the camera
        and the frames valid in both; 0 on the diagonal, NaN where there is no such frame.
    """
    rotations = [torch.cat((c.body_pose_R, c.R_c[:, :, None]), dim=2) for c in candidates]
    count, batch = len(candidates), len(rotations[0])
    angles = rotations[0].new_zeros(count, count, batch)
    for first in range(count):
        for second in range(first + 1, count):
            both = candidates[first].valid & candidates[second].valid
            angle = relative_angle(rotations[first], rotations[second]).mean(dim=-1)
            angle = angle.masked_fill(~both, 0).sum(dim=-1) / both.sum(dim=-1)
            angles[first, second] = angles[second, first] = angle
    return angles


@torch.no_grad()
def view_agreement(candidates: Sequence[MotionPrediction], scale: float = 0.2) -> Tensor:
    """Score each candidate by its agreement with the others.

    Args:
        candidates (Sequence[MotionPrediction]): N >= 2 predictions in the same camera.
        scale (float): Mean angle to the others, in radians, whose score is 1/e. Defaults to 0.2.

    Returns:
        Tensor: Scores (N, B), 0 for a candidate that shares no frame with any other.

    Raises:
        ConfigError: If there is a single candidate.
    """
    if len(candidates) < 2:
        raise ConfigError(
            'Agreement needs at least 2 candidates: raise `num_augmentations`, or keep the `lifter`'
        )
    angles = pairwise_angle(candidates)
    other = ~torch.eye(len(candidates), dtype=torch.bool, device=angles.device)[..., None]
    known = other & angles.isfinite()
    count = known.sum(dim=1)
    mean = angles.masked_fill(~known, 0).sum(dim=1) / count.clamp(min=1)
    return torch.exp(-mean / scale) * (count > 0)


@MODELS.register_module()
class CombinedConfidence:
    """Combine the scores of several sources into one confidence.

    Args:
        weights (dict[str, float], optional): Weight of each of :data:`SOURCES`; only these sources
            are computed. Defaults to None: 4 for ``reprojection``, 1 for ``discriminator``.
        mean (str): ``'arithmetic'``, or ``'geometric'``, with which a high score does not outweigh
            a low one. Defaults to ``'geometric'``.
        reprojection_scale (float): Mean distance from the detected keypoints, in box sides, whose
            score is 1/e. Defaults to 0.1.

    Raises:
        ConfigError: If a weight is negative, all are zero, a name is unknown, or the scale is not
            positive.
    """

    def __init__(
        self,
        weights: Optional[dict[str, float]] = None,
        mean: str = 'geometric',
        reprojection_scale: float = 0.1,
    ) -> None:
        weights = dict(reprojection=4.0, discriminator=1.0) if weights is None else dict(weights)
        if not any(weights.values()) or min(weights.values()) < 0:
            raise ConfigError(
                f'`weights` should be non-negative numbers, not all zero, got {weights}'
            )
        check_choice(mean, MEAN_KINDS, 'mean')
        unknown = sorted(set(weights) - set(SOURCES))
        if unknown:
            raise ConfigError(f'`weights` should name {", ".join(SOURCES)}, got {unknown}')
        self.weights = {name: float(weight) for name, weight in weights.items() if weight}
        if reprojection_scale <= 0:
            raise ConfigError(f'`reprojection_scale` should be positive, got {reprojection_scale}')
        self.mean = mean
        self.reprojection_scale = reprojection_scale

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources that have to be computed."""
        return tuple(self.weights)

    @torch.no_grad()
    def __call__(self, scores: dict[str, Union[Tensor, tuple[Tensor, Tensor]]]) -> Tensor:
        """Combine scores.

        Args:
            scores (dict[str, Tensor | tuple[Tensor, Tensor]]): For each source scores (N, B) in
                [0, 1], alone or with the mask of those with evidence. Where a source has none, the
                others share its weight.

        Returns:
            Tensor: Confidence (N, B) in [0, 1]; 0 where a score is not finite or no source has
            evidence.

        Raises:
            ConfigError: If a source is missing.
        """
        missing = sorted(set(self.weights) - set(scores))
        if missing:
            raise ConfigError(f'`weights` names {missing}, but only {sorted(scores)} are computed')
        total, weight_sum = 0.0, 0.0
        for name, weight in self.weights.items():
            score = scores[name]
            score, evidence = score if isinstance(score, tuple) else (score, None)
            share = torch.full_like(score, weight) if evidence is None else weight * evidence
            value = score.nan_to_num(0).clamp(0, 1)
            if self.mean == 'geometric':
                value = value.clamp(min=torch.finfo(value.dtype).tiny).log()
            total, weight_sum = total + share * value, weight_sum + share
        mean = total / weight_sum.clamp(min=torch.finfo(weight_sum.dtype).tiny)
        if self.mean == 'geometric':
            mean = mean.exp()
        return mean * (weight_sum > 0)
