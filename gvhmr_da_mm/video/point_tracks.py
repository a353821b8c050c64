"""Tracking of background points between frames."""

from typing import Optional

import cv2
import numpy as np

_CORNERS = dict(maxCorners=600, qualityLevel=0.01, minDistance=8, blockSize=5)
_FLOW = dict(
    winSize=(21, 21),
    maxLevel=3,
    criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01),
)


def background_mask(
    shape: tuple[int, int], boxes: Optional[np.ndarray], margin: float = 1.1
) -> np.ndarray:
    """Return a mask (H, W), uint8, that is 0 on people and 255 elsewhere.

    Args:
        shape (tuple[int, int]): Height and width in pixels.
        boxes (np.ndarray, optional): Corners (P, 4) left, top, right, bottom of the people, pixels.
        margin (float): Boxes are enlarged by this factor. Defaults to 1.1.
    """
    mask = np.full(shape, 255, np.uint8)
    for left, top, right, bottom in boxes if boxes is not None else ():
        centre = np.array([left + right, top + bottom]) / 2
        half = np.array([right - left, bottom - top]) / 2 * margin
        (x0, y0), (x1, y1) = np.maximum(centre - half, 0), np.maximum(centre + half, 0)
        mask[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = 0
    return mask


def find_points(gray: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return corners (N, 2), pixels, of a grey image (H, W) where the mask (H, W) is not 0."""
    corners = cv2.goodFeaturesToTrack(gray, mask=mask, **_CORNERS)
    return np.zeros((0, 2), np.float32) if corners is None else corners[:, 0]


def follow_points(
    gray_a: np.ndarray, gray_b: np.ndarray, points: np.ndarray, max_return: float = 0.7
) -> tuple[np.ndarray, np.ndarray]:
    """Track points from one grey image to the next.

    Args:
        gray_a (np.ndarray): Image of the points (H, W), uint8.
        gray_b (np.ndarray): Next image (H, W), uint8.
        points (np.ndarray): Pixels (N, 2).
        max_return (float): Largest distance, in pixels, between a point and the result of tracking
            it there and back; others are dropped. Defaults to 0.7.

    Returns:
        tuple[np.ndarray, np.ndarray]: Pixels (N, 2) in the next image, and the valid mask (N,).
    """
    if not len(points):
        return points, np.zeros(0, bool)
    start = np.ascontiguousarray(points, np.float32)[:, None]
    there, found, _ = cv2.calcOpticalFlowPyrLK(gray_a, gray_b, start, None, **_FLOW)
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(gray_b, gray_a, there, None, **_FLOW)
    away = np.linalg.norm(back - start, axis=-1)[:, 0]
    height, width = gray_b.shape
    inside = ((there[:, 0] >= 0) & (there[:, 0] < (width, height))).all(axis=1)
    kept = (found[:, 0] > 0) & (found_back[:, 0] > 0) & (away < max_return) & inside
    return there[:, 0], kept
