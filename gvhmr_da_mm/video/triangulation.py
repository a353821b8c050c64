"""Points and joints that several calibrated cameras see.

Note:
    Shape letters: V views, N points, F frames. World in metres.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple, Optional

import numpy as np

from ..core.conventions import COCO_JOINT_NAMES
from .calibrated_views import MIN_VIEWS, View

SMALLEST = 0.02
"""Metres of residual below which views count the same."""
ROUNDS = 8
PAIRS = tuple(
    tuple(COCO_JOINT_NAMES.index(f'{side}_{name}') for side in ('left', 'right'))
    for name in ('eye', 'ear', 'shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle')
)
EXCHANGE_COST = 0.04
"""Metres by which exchanging the sides of one view must lower the residual."""
INLIER_DISTANCE = 0.08
"""Largest residual in metres of a view that agrees with a point; detectors differ by 3 cm."""


class Triangulation(NamedTuple):
    """Joints seen by several cameras.

    Args:
        joints (np.ndarray): Positions (F, J, 3) in the world, metres.
        valid (np.ndarray): Joints on which at least three views agree (F, J), bool.
        residual (np.ndarray): Mean distance (F, J) of the views that agree, metres at the depth of
            the joint; NaN without any.
    """

    joints: np.ndarray
    valid: np.ndarray
    residual: np.ndarray


def error(view: View, points: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Return how far pixels (N, 2) are from points (N, 3), (N, 2) in metres at their depth."""
    expected, depth = view.project(points)
    return (pixels - expected) * depth[:, None] / view.focal


def triangulate(
    views: Sequence[View],
    pixels: np.ndarray,
    chosen: Sequence[int],
    confidence: Optional[np.ndarray] = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find points that are seen by several cameras, one of which may be wrong.

    Views are weighted by the inverse of their residual, again and again, which approaches the sum
    of the residuals' absolute values.

    Args:
        views (Sequence[View]): All V cameras.
        pixels (np.ndarray): What they see (V, N, 2).
        chosen (Sequence[int]): Views to use.
        confidence (np.ndarray, optional): Weight of each (V, N). Defaults to None: all equal.

    Returns:
        tuple[np.ndarray, np.ndarray]: Points (N, 3), and the residual of all views (V, N) in metres
        at the depth of the point.
    """
    confidence = np.ones(pixels.shape[:2]) if confidence is None else confidence
    weights = confidence
    for _ in range(ROUNDS):
        rows = []
        for index in chosen:
            view = views[index]
            P = view.K @ np.c_[view.R, view.t]
            for axis in (0, 1):
                row = pixels[index, :, axis, None] * P[2] - P[axis]
                row = row / np.linalg.norm(row, axis=1, keepdims=True)
                rows.append(row * weights[index, :, None])
        solution = np.linalg.svd(np.stack(rows, axis=1))[2][:, -1]
        points = solution[:, :3] / solution[:, 3:]
        residual = np.stack([np.linalg.norm(error(view, points, seen), axis=1)
                             for view, seen in zip(views, pixels)])  # fmt: skip
        weights = confidence * SMALLEST / np.maximum(residual, SMALLEST)
    return points, residual


def exchange(keypoints: np.ndarray, left: int, right: int) -> np.ndarray:
    """Return keypoints (..., 17, C) with two joints exchanged."""
    swapped = keypoints.copy()
    swapped[..., [left, right], :] = keypoints[..., [right, left], :]
    return swapped


def undo_exchanges(views: Sequence[View], keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find in which view, at most one of a frame, a pair of joints has its sides exchanged.

    Args:
        views (Sequence[View]): The cameras.
        keypoints (np.ndarray): Pixels, then any other channels (V, F, 17, C).

    Returns:
        tuple[np.ndarray, np.ndarray]: Keypoints with the sides put right, and which were not
        (V, F, 17), bool.
    """
    keypoints = keypoints.copy()
    exchanged = np.zeros(keypoints.shape[:-1], dtype=bool)
    everyone = range(len(views))
    for left, right in PAIRS:
        costs = []
        for view in (None, *everyone):
            seen = keypoints[..., :2].copy()
            if view is not None:
                seen[view] = exchange(seen[view], left, right)
            residual = sum(triangulate(views, seen[:, :, joint], everyone)[1].mean(axis=0)
                           for joint in (left, right))  # fmt: skip
            costs.append(residual + (0 if view is None else EXCHANGE_COST))
        best = np.argmin(costs, axis=0) - 1
        for view in everyone:
            frames = best == view
            keypoints[view, frames] = exchange(keypoints[view, frames], left, right)
            exchanged[view][np.ix_(frames, [left, right])] = True
    return keypoints, exchanged


def triangulate_joints(views: Sequence[View], keypoints: np.ndarray) -> Triangulation:
    """Find the joints on which most views agree, weighted by their confidence.

    Each pair of views proposes a point; the one that the most confidence agrees with is found again
    from all views that agree with it (RANSAC, over all pairs). Sides that one view has exchanged
    are put right first.

    Args:
        views (Sequence[View]): The cameras.
        keypoints (np.ndarray): COCO-17 of one person (V, F, 17, 3): pixels and confidence, which is
            0 where the person is not detected.
    """
    keypoints, _ = undo_exchanges(views, keypoints)
    frames, joints = keypoints.shape[1:3]
    flat = keypoints.reshape(len(views), frames * joints, 3)
    pixels, confidence = flat[..., :2], flat[..., 2]
    most = np.full(frames * joints, -1.0)
    agree = np.zeros(confidence.shape, dtype=bool)
    for pair in combinations(range(len(views)), 2):
        _, residual = triangulate(views, pixels, pair)
        near = (residual < INLIER_DISTANCE) & (confidence > 0)
        support = (near * confidence * (1 - residual / INLIER_DISTANCE)).sum(axis=0)
        better = support > most
        agree[:, better], most[better] = near[:, better], support[better]
    valid = agree.sum(axis=0) >= MIN_VIEWS
    weights = np.where(valid, agree, 1) * confidence.clip(min=1e-3)
    points, residual = triangulate(views, pixels, range(len(views)), weights)
    count = agree.sum(axis=0)
    mean = np.where(count > 0, (residual * agree).sum(axis=0) / count.clip(min=1), np.nan)
    return Triangulation(
        points.reshape(frames, joints, 3),
        valid.reshape(frames, joints),
        mean.reshape(frames, joints),
    )
