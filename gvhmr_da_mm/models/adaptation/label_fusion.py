"""Fusion of the predictions for several views of a clip into one pseudo-label."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

import torch
from torch import Tensor

from ...core.checks import check_shape
from ...core.errors import ShapeError
from ...core.rotation import mean_of_two_rotations, mean_rotation
from ...structures.motion import MotionPrediction
from ..views.functional import Inputs
from .confidence import ScoreAndEvidence, pairwise_angle

VECTOR_FIELDS = ('betas', 'velocity', 'transl_c', 'pred_cam', 'static_logits')


@dataclass(frozen=True)
class PseudoLabels:
    """Fused candidates and their confidence, without graph.

    Attributes:
        prediction (MotionPrediction): The fused motion. Only valid frames may be trained on;
            samples that are not kept have none. ``x`` is None.
        keep (Tensor): Samples with at least one confident candidate (B,), bool.
        confidence (Tensor): Mean confidence of the selected candidates (B,), with their weights in
            the label; of all candidates where none was selected, so that a log shows how far the
            threshold is off.
        selection (Tensor): Mask of the selected candidates (N, B), bool.
        spread (Tensor): Mean angle in radians between the candidates (B,), over all pairs,
            joints and frames, 0 for a single candidate.
        scores (dict[str, tuple[Tensor, Tensor]]): Scores (N, B) by source that make up the
            confidence, with the masks of those with evidence. Defaults to none.
    """

    prediction: MotionPrediction
    keep: Tensor
    confidence: Tensor
    selection: Tensor
    spread: Tensor
    scores: dict[str, ScoreAndEvidence] = field(default_factory=dict)

    def log_values(self) -> dict[str, Tensor]:
        """Return scalars for the training log."""
        return dict(
            confidence_mean=self.confidence.mean(),
            selection_rate=self.keep.float().mean(),
            pseudo_label_spread=self.spread.mean(),
        )


def fuse_rotations(rotations: Tensor, weights: Tensor) -> Tensor:
    """Average candidates on SO(3).

    Args:
        rotations (Tensor): Shape (N, ..., 3, 3).
        weights (Tensor): Not negative (N, ...), broadcastable, not all zero.

    Returns:
        Tensor: Chordal mean (..., 3, 3).
    """
    if len(rotations) == 1:
        return rotations[0]
    if len(rotations) == 2:
        return mean_of_two_rotations(*rotations, weights)
    weights = weights.expand(rotations.shape[:-2])
    return mean_rotation(rotations.movedim(0, -3), weights.movedim(0, -1))


@torch.no_grad()
def fuse_candidates(
    candidates: Sequence[MotionPrediction],
    confidences: Tensor,
    threshold: float,
    prior: Optional[Tensor] = None,
    inputs: Optional[Inputs] = None,
    scores: Optional[dict[str, ScoreAndEvidence]] = None,
) -> PseudoLabels:
    """Select the confident candidates of each clip and average them.

    Rotations are averaged on SO(3) (chordal mean), everything else arithmetically, both weighted by
    confidence times prior weight. A clip without a confident candidate is not kept: there is no
    fallback to an unconfident label. Candidates with a value that is not finite are never selected.

    Args:
        candidates (Sequence[MotionPrediction]): N predictions of the same B clips, all in the
            original camera and box.
        confidences (Tensor): Shape (N, B) in [0, 1].
        threshold (float): A candidate is selected if its confidence is greater than this.
        prior (Tensor, optional): Prior weights (N, B). Defaults to None: equal ones.
        inputs (dict[str, Tensor], optional): The plain inputs. With them ``pred_cam`` is derived
            from the fused translation, so that both agree; without them each is averaged by
            itself. Defaults to None.
        scores (dict, optional): ``scores`` of the returned labels. Defaults to None.

    Returns:
        PseudoLabels: Without graph.

    Raises:
        ShapeError: If a shape is not the documented one, or there is no candidate.
    """
    if not candidates:
        raise ShapeError('`candidates` is empty: pass the prediction of at least one view')
    sizes = dict(N=len(candidates), B=len(candidates[0].valid))
    check_shape(confidences, 'N B', name='confidences', **sizes)
    valid = torch.stack([candidate.valid for candidate in candidates])
    finite = _finite_frames(candidates)
    selection = (confidences > threshold) & (finite | ~valid).all(dim=-1)
    if prior is None:
        prior = torch.ones_like(confidences)
    check_shape(prior, 'N B', name='prior', **sizes)
    selection = selection & (prior > 0)
    confidences = confidences.nan_to_num(0)
    weights = confidences * prior * selection
    fused = _fuse(candidates, (weights[..., None] * valid).to(candidates[0].betas), finite)
    if inputs is not None:
        fused = fused.for_box(inputs['bbx_xys'], inputs['K_fullimg'])
    return PseudoLabels(
        prediction=fused,
        keep=fused.valid.any(dim=1),
        confidence=_mean(confidences, torch.where(selection.any(dim=0), weights, prior > 0)),
        selection=selection,
        spread=_mean_over_pairs(pairwise_angle(candidates)),
        scores=scores or {},
    )


def _finite_frames(candidates: Sequence[MotionPrediction]) -> Tensor:
    """Return which frames (N, B, L) of each candidate hold finite numbers only."""
    fields = ('body_pose_R', 'R_c', 'R_gv', *VECTOR_FIELDS)
    return torch.stack(
        [
            torch.stack(
                [getattr(candidate, field).isfinite().flatten(2).all(-1) for field in fields]
            ).all(dim=0)
            for candidate in candidates
        ]
    )


def _fuse(
    candidates: Sequence[MotionPrediction], weights: Tensor, finite: Tensor
) -> MotionPrediction:
    """Average candidates with weights (N, B, L); frames without weight are not valid."""
    valid = (weights > 0).any(dim=0)
    # Invalid frames must hold rotations and finite numbers, too.
    weights = torch.where(valid, weights, torch.ones_like(weights))
    share = weights / weights.sum(dim=0)

    def stack(field: str) -> Tensor:
        values = torch.stack([getattr(candidate, field) for candidate in candidates])
        mask = finite.view(*finite.shape, *[1] * (values.ndim - 3))
        neutral = torch.zeros_like(values[0, 0, 0])
        if values.shape[-2:] == (3, 3):
            neutral = neutral + torch.eye(3, dtype=neutral.dtype, device=neutral.device)
        return torch.where(mask, values, neutral)

    fields = {field: (stack(field) * share[..., None]).sum(dim=0) for field in VECTOR_FIELDS}
    # One call for all rotations of a frame: the body's joints and the root in both frames.
    rotations = torch.cat(
        (stack('body_pose_R'), stack('R_c')[..., None, :, :], stack('R_gv')[..., None, :, :]), -3
    )
    rotations = fuse_rotations(rotations, share[..., None])
    return MotionPrediction(
        body_pose_R=rotations[..., :-2, :, :],
        R_c=rotations[..., -2, :, :],
        R_gv=rotations[..., -1, :, :],
        valid=valid,
        **fields,
    )


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """Average (N, B) over the candidates; 0 where none has a weight."""
    total = weights.sum(dim=0)
    return (values * weights).sum(dim=0) / torch.where(total > 0, total, 1.0)


def _mean_over_pairs(angles: Tensor) -> Tensor:
    """Average a symmetric (N, N, B) over its pairs to (B,), leaving out pairs that are NaN."""
    first, second = torch.triu_indices(len(angles), len(angles), offset=1, device=angles.device)
    pairs = angles[first, second]
    known = pairs.isfinite()
    return pairs.masked_fill(~known, 0).sum(dim=0) / known.sum(dim=0).clamp(min=1)
