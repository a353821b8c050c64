"""The scores that a confidence is made of, from each source that it names."""

from collections.abc import Iterable, Sequence
from typing import Callable

import torch
from torch import Tensor, nn

from ...structures import MotionPrediction
from ..heads.motion_discriminator import MotionDiscriminator, discriminator_pose
from ..losses import ReprojectionLoss
from .confidence import ScoreAndEvidence, reprojection_confidence, view_agreement


@torch.no_grad()
def candidate_scores(
    sources: Iterable[str],
    candidates: Sequence[MotionPrediction],
    inputs: dict[str, Tensor],
    *,
    discriminator: MotionDiscriminator,
    calibrator: nn.Module,
    reprojection: ReprojectionLoss,
    coco_joints: Callable[[MotionPrediction], Tensor],
) -> dict[str, ScoreAndEvidence]:
    """Score candidates; only the sources that are asked for are computed.

    Args:
        sources (Iterable[str]): Among ``confidence.SOURCES``.
        candidates (Sequence[MotionPrediction]): N predictions of the same B clips, in the original
            camera.
        inputs (dict[str, Tensor]): The plain inputs.
        discriminator (MotionDiscriminator): Scores the pose sequences.
        calibrator (nn.Module): Turns these scores into confidences.
        reprojection (ReprojectionLoss): Says which detections count and what a residual is.
        coco_joints (Callable): Gives the COCO joints (B, L, 17, 3) of a candidate in the camera.

    Returns:
        dict[str, tuple[Tensor, Tensor]]: For each source scores (N, B) in [0, 1] and where there is
        evidence (N, B), bool.
    """
    computed: dict[str, ScoreAndEvidence] = {}
    for source in sources:
        if source == 'discriminator':
            body_pose_R = torch.cat([one.body_pose_R for one in candidates])
            valid = torch.cat([one.valid for one in candidates])
            scores = discriminator.score(discriminator_pose(body_pose_R), valid)
            computed[source] = _everywhere(calibrator(scores.view(len(candidates), -1)))
        elif source == 'reprojection':
            pairs = [
                reprojection_confidence(
                    coco_joints(one),
                    inputs,
                    scale=reprojection.scale,
                    min_confidence=reprojection.confidence,
                )
                for one in candidates
            ]
            scores, evidence = (torch.stack(values) for values in zip(*pairs))
            computed[source] = scores, evidence
        else:
            computed[source] = _everywhere(view_agreement(candidates))
    return computed


def _everywhere(scores: Tensor) -> ScoreAndEvidence:
    """Return scores with evidence for each of them."""
    return scores, torch.ones_like(scores, dtype=torch.bool)
