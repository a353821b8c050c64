"""Robust alignment of the worlds of two tracks of the same motion."""

import numpy as np
import torch

from ..core.alignment import similarity_align

MAX_ITERATIONS = 50
MIN_DISTANCE = 1e-6
"""Frames nearer than this, m, have equal weights."""
MAX_FITTED_FRAMES = 300
"""Longer clips are fitted by this many frames at equal distances."""


def align_worlds(
    source: np.ndarray, target: np.ndarray, keep_up: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Find the rigid motion ``R x + t`` with the least sum of distances of the frames.

    Sums of distances, unlike those of squares, follow the majority of the frames. They are
    minimised by least squares with reweighted frames.

    Args:
        source (np.ndarray): Joints (F, J, 3) in the world to move, y up, m.
        target (np.ndarray): The same joints in the other world.
        keep_up (bool): Whether to rotate about the vertical only.

    Returns:
        tuple[np.ndarray, np.ndarray]: Rotation (3, 3) and shift (3,), m.

    Source: iteratively reweighted least squares, as in Weiszfeld's algorithm (1937).
    """
    chosen = np.unique(np.linspace(0, len(source) - 1, MAX_FITTED_FRAMES).round().astype(int))
    source, target = source[chosen], target[chosen]
    points = source.reshape(-1, 3), target.reshape(-1, 3)
    weights, last = np.ones(len(source)), np.inf
    for _ in range(MAX_ITERATIONS):
        R, shift = _weighted_fit(*points, np.repeat(weights, source.shape[1]), keep_up)
        distances = _distances(source, target, R, shift)
        if last - distances.sum() < MIN_DISTANCE:
            break
        weights, last = 1 / np.maximum(distances, MIN_DISTANCE), distances.sum()
    return R, shift


def _weighted_fit(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray, keep_up: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return rotation and shift of the least squares of points (N, 3) with weights (N,)."""
    if not keep_up:
        points = (torch.from_numpy(values) for values in (source, target))
        fit = similarity_align(*points, scale=False, weights=torch.from_numpy(weights))
        return fit[1].numpy(), fit[2].numpy()
    means = [np.average(points, axis=0, weights=weights) for points in (source, target)]
    (sx, _, sz), (tx, _, tz) = (source - means[0]).T, (target - means[1]).T
    sine, cosine = weights @ (tx * sz - tz * sx), weights @ (tx * sx + tz * sz)
    angle = np.arctan2(sine, cosine)
    cos, sin = np.cos(angle), np.sin(angle)
    R = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return R, means[1] - R @ means[0]


def _distances(
    source: np.ndarray, target: np.ndarray, R: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """Return the root mean square distance of the joints of each frame (F,), m."""
    return np.sqrt(np.square(source @ R.T + shift - target).sum(axis=-1).mean(axis=-1))
