"""From keypoints in several views to the numbers of ``DetectorNoise``.

Note:
    Shape letters: V views, F frames. Errors are in metres at the depth of the joint.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gvhmr_da_mm.codecs.detector_noise import JOINT_GROUPS
from gvhmr_da_mm.codecs.self_occlusion import LIMB_JOINTS, self_occlusion
from gvhmr_da_mm.core.layout import NUM_COCO
from gvhmr_da_mm.video.calibrated_views import View
from gvhmr_da_mm.video.triangulation import PAIRS, error, triangulate, undo_exchanges

GROUP_JOINTS = ((0,), *PAIRS)
TRUSTED = 0.06
"""Residual in metres of each of three views that makes them a reference for the fourth."""
OWN_SHARE = 0.75**0.5
"""Of the deviation from three views, what is the fourth's own: they err as it does."""
SURE = 1e-3


@dataclass
class Measurement:
    """What was measured of one video.

    Args:
        error (np.ndarray): Errors (V, F, 17, 2); NaN without a reference, or where sides are
            exchanged.
        hidden (np.ndarray): Joints that the body hides (V, F, 17), bool.
        exchanged (np.ndarray): Joints that are at their partner's place (V, F, 17), bool.
        logit (np.ndarray): Of the confidences (V, F, 17).
    """

    error: np.ndarray
    hidden: np.ndarray
    exchanged: np.ndarray
    logit: np.ndarray


def measure(views: Sequence[View], keypoints: np.ndarray) -> Measurement:
    """Compare each view with a reference from the others.

    Args:
        views (Sequence[View]): The cameras.
        keypoints (np.ndarray): Pixels and confidence (V, F, 17, 3).
    """
    pixels, exchanged = undo_exchanges(views, keypoints[..., :2])
    errors = np.full(pixels.shape, np.nan)
    joints = np.stack([triangulate(views, pixels[:, :, joint], range(len(views)))[0]
                       for joint in range(NUM_COCO)], axis=1)  # fmt: skip
    hidden = np.stack(
        [self_occlusion(torch.from_numpy(view.to_camera(joints))).numpy() for view in views]
    )
    for index, view in enumerate(views):
        others = [other for other in range(len(views)) if other != index]
        for joint in range(NUM_COCO):
            points, residual = triangulate(views, pixels[:, :, joint], others)
            good = (residual[others].max(axis=0) < TRUSTED) & ~exchanged[index, :, joint]
            found = error(view, points, keypoints[index, :, joint, :2])
            errors[index, good, joint] = found[good]
    confidence = keypoints[..., 2].clip(SURE, 1 - SURE)
    return Measurement(errors, hidden, exchanged, np.log(confidence / (1 - confidence)))


def fit(measurements: Sequence[Measurement]) -> dict:
    """Return the arguments of :class:`~gvhmr_da_mm.codecs.DetectorNoise` that were measured.

    ``exchanged_share``, the share of frames with exchanged sides, is the product of ``rate`` and
    ``frames`` of the swaps over 30: a few seconds hold too few exchanges to tell the two apart.
    """
    errors = np.concatenate([m.error for m in measurements])
    hidden = np.concatenate([m.hidden for m in measurements])
    logit = np.concatenate([m.logit for m in measurements])
    bias = np.nanmean(errors, axis=1, keepdims=True)
    rest = errors - bias
    seen, behind = (np.where(mask[..., None], rest, np.nan) for mask in (~hidden, hidden))
    doubt = logit - logit.mean(axis=1, keepdims=True)

    def by_group(statistic) -> list[float]:
        return [float(statistic(list(group))) for group in GROUP_JOINTS]

    def rms(values: np.ndarray) -> float:
        return float(np.sqrt(np.nanmean(values**2)))

    limbs = list(LIMB_JOINTS)
    visible_logit = np.where(hidden, np.nan, logit)
    length = np.linalg.norm(rest, axis=-1)[..., limbs]
    known = np.isfinite(length)
    slope = np.polyfit(length[known], doubt[..., limbs][known], 1)[0]
    return dict(
        error=by_group(lambda group: OWN_SHARE * rms(seen[..., group, :])),
        bias=by_group(lambda group: OWN_SHARE * rms(bias[..., group, :])),
        error_frames=decay(rest),
        hidden_error=rms(behind[..., limbs, :]) / rms(seen[..., limbs, :]),
        confidence=dict(
            mean=by_group(lambda group: np.nanmean(visible_logit[..., group])),
            spread=by_group(lambda group: np.nanstd(visible_logit[..., group])),
            frames=decay(doubt[..., limbs, None]),
            hidden=float(
                np.mean(logit[..., limbs][hidden[..., limbs]])
                - np.mean(logit[..., limbs][~hidden[..., limbs]])
            ),
            error=float(slope),
        ),
        exchanged_share=exchanged_share([m.exchanged for m in measurements]),
    )


def decay(signal: np.ndarray, lags: Sequence[int] = (1, 2, 3, 5)) -> float:
    """Return the frames in which the correlation of (V, F, 17, C) falls to 1 / e."""
    variance = np.nanmean(signal**2)
    shares = [np.nanmean(signal[:, lag:] * signal[:, :-lag]) / variance for lag in lags]
    rates = [-lag / np.log(np.clip(share, 1e-3, 0.999)) for lag, share in zip(lags, shares)]
    return float(np.median(rates))


def exchanged_share(exchanged: Sequence[np.ndarray]) -> float:
    """Return the share of frames where most of a body has its sides exchanged.

    Args:
        exchanged (Sequence[np.ndarray]): For each video (V, F, 17), bool.
    """
    body = [joint for pair in PAIRS[2:] for joint in pair]
    return float(np.mean([(mask[..., body].mean(axis=-1) > 0.5).mean() for mask in exchanged]))


def table(result: dict) -> str:
    """Return the numbers as text."""
    lines = ['group      ' + ''.join(f'{name:>10}' for name in JOINT_GROUPS)]
    flat = {**result, **{f'confidence.{k}': v for k, v in result['confidence'].items()}}
    del flat['confidence']
    for name, value in flat.items():
        if isinstance(value, list):
            lines.append(f'{name:<18}' + ' '.join(f'{number:.3f}' for number in value))
        else:
            lines.append(f'{name:<18}{value:.3g}')
    return '\n'.join(lines)
