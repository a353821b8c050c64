"""Judging of a model on held-out stretches, without labels."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple, Optional

import torch
from torch import Tensor

from ...core.conventions import FOOT_JOINTS
from ...core.errors import DataError
from ...core.keypoint_residual import keypoint_residual
from ...evaluation.functional import jitter
from ...models.adaptation import MotionCritic
from ...structures import MotionDump, read_motion_dump, write_motion_dump
from ..inferencers.frame_confidence import window_scores
from ..inferencers.known_facts import MIN_CONTACT_PROBABILITY
from ..keypoint_model import KeypointModel
from ..keypoint_model.keypoint_model import STAGES
from .stretches import Stretch

METRICS = dict(
    reprojection_px='px between joints and confident keypoints',
    contact='mm per frame that feet slide where all compared models predict contact',
    jitter='10 m/s³, third derivative of the joints in the world',
    confidence='score of the discriminator of the source, 0 to 1',
)
"""What is measured; the last is better if it is greater, the others if they are smaller."""
Scores = dict[str, Optional[float]]
"""By metric; None if nothing could be measured."""


class Limit(NamedTuple):
    """How much worse a score may be after the adaptation.

    Args:
        factor (float): Multiple of the score before.
        slack (float): Added to it, as small scores vary.
    """

    factor: float
    slack: float


LIMITS = {
    'network': dict(reprojection_px=Limit(0.98, 0), confidence=Limit(0.9, -0.02)),
    'fitted': dict(
        reprojection_px=Limit(1.02, 0.1), contact=Limit(1.2, 1.0), jitter=Limit(1.2, 1.0)
    ),
}
"""The network alone has to be nearer to the keypoints; the fitted motion must not be worse."""


def predict_stretches(
    model: KeypointModel, stretches: Iterable[Stretch], folder: Path
) -> dict[str, list[MotionDump]]:
    """Predict stretches by the network alone and fitted, or read what was predicted before.

    Args:
        model (KeypointModel): The model.
        stretches (Iterable[Stretch]): What is predicted.
        folder (Path): Where predictions are kept; of this model and these stretches only.

    Returns:
        dict[str, list[MotionDump]]: By stage.
    """
    found: dict[str, list[MotionDump]] = {stage: [] for stage in STAGES}
    for number, stretch in enumerate(stretches):
        for stage in STAGES:
            file = folder / f'{number}_{stage}.npz'
            try:
                dump = read_motion_dump(file)
            except (DataError, FileNotFoundError):
                sample, clip = model.predict(stretch.clip, stage), stretch.clip
                K = clip.K_fullimg.expand(len(clip), 3, 3)
                inputs = dict(kp2d=clip.kp2d, bbx_xys=clip.bbx_xys, K_fullimg=K)
                dump = MotionDump(sample, inputs)
                write_motion_dump(file, sample.to_dict(), inputs)
            found[stage].append(dump)
    return found


def standing_feet(compared: Sequence[Sequence[MotionDump]]) -> list[Tensor]:
    """Return where all models predict contact: of each stretch (F, 4), for the ``FOOT_JOINTS``.

    Each model would be judged by other contacts otherwise, and one that predicts none be the best.

    Args:
        compared (Sequence[Sequence[MotionDump]]): Predictions of the same stretches by each model.
    """
    # The feet are the first of the joints with a contact label.
    logits = [
        torch.stack(
            [dump.sample.pred_instances.static_logits[:, : len(FOOT_JOINTS)] for dump in dumps]
        )
        for dumps in zip(*compared)
    ]
    return [(one.sigmoid() > MIN_CONTACT_PROBABILITY).all(dim=0) for one in logits]


@torch.no_grad()
def score_predictions(
    model: KeypointModel,
    dumps: Sequence[MotionDump],
    standing: Sequence[Tensor],
    critic: Optional[MotionCritic],
) -> Scores:
    """Measure predictions, see :data:`METRICS`.

    Args:
        model (KeypointModel): Has the body.
        dumps (Sequence[MotionDump]): The predictions of a stage.
        standing (Sequence[Tensor]): Feet in contact, see :func:`standing_feet`.
        critic (MotionCritic, optional): Judges how true motions look; the same before and after.
            None: no confidence.

    Returns:
        dict[str, float | None]: By metric; None if nothing could be measured.
    """
    parts: dict[str, list[Tensor]] = {name: [] for name in METRICS}
    body = model.estimator.body_model
    for dump, stands in zip(dumps, standing):
        found, inputs = dump.sample.pred_instances, dump.inputs
        valid = torch.ones(len(dump), dtype=torch.bool)
        residual = keypoint_residual(
            model.coco_joints(dump.sample, 'camera'), dict(inputs, valid=valid)
        )
        pixels = residual.distance * inputs['bbx_xys'][:, None, 2]
        parts['reprojection_px'].append(pixels[residual.valid])
        device = body.coco_regressor.device
        names = ('body_pose', 'betas', 'global_orient_w', 'transl_w')
        joints = body.fk(*(found[name].to(device) for name in names)).cpu()
        moved = joints[:, list(FOOT_JOINTS)].diff(dim=0).norm(dim=-1)
        parts['contact'].append(1000 * moved[stands[1:] & stands[:-1]])
        parts['jitter'].append(jitter(joints))
        if critic is not None:
            parts['confidence'].append(window_scores(found.body_pose, critic))
    values = {name: torch.cat(part) if part else torch.empty(0) for name, part in parts.items()}
    return {name: float(value.mean()) if len(value) else None for name, value in values.items()}


def objections(before: Mapping[str, Scores], after: Mapping[str, Scores]) -> list[str]:
    """Return why the adapted model is not better than the source; empty if it is.

    Args:
        before (Mapping[str, Scores]): Scores of the source by stage.
        after (Mapping[str, Scores]): Scores of the adapted model by stage.

    Returns:
        list[str]: Each limit of :data:`LIMITS` that is exceeded, with both scores.
    """
    if before['network']['reprojection_px'] is None:
        return ['no held-out keypoint is confident, so there is nothing to judge by']
    found = []
    for stage, limits in LIMITS.items():
        for name, limit in limits.items():
            old, new = before[stage][name], after[stage][name]
            if old is None:
                continue
            if new is None or not isfinite(new):
                found.append(f'{stage}: {name} cannot be measured any more')
                continue
            bound = limit.factor * old + limit.slack
            if new < bound if name == 'confidence' else new > bound:
                found.append(f'{stage}: {name} is {new:.3g}, from {old:.3g} before')
    return found


def reported(scores: Mapping[str, Scores]) -> dict[str, Any]:
    """Return scores as reports have them: ``heldout`` of the network, and fitted."""
    return dict(heldout=scores['network'], heldout_fitted=scores['fitted'])
