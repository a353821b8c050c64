"""Rotation of a camera between two images, from points visible in both.

Note:
    N points; pixels (N, 2); K (3, 3) intrinsics; ``R_a2b`` (3, 3) turns viewing directions of the
    first camera into those of the second.
"""

from typing import NamedTuple, Optional

import cv2
import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

MIN_POINTS = 8
"""Fewest points from which a rotation is estimated."""
STILL_PIXELS = 0.5
"""Points that move by less than this count as still."""
MIN_STILL_SHARE = 0.25
"""Share of still points from which the camera is static; the others are on moving things."""
_HYPOTHESES = 200
_REFINEMENTS = 5


class RelativeRotation(NamedTuple):
    """Estimated rotation between two images.

    Args:
        R_a2b (np.ndarray): The rotation (3, 3).
        model (str): ``still``: a static camera; ``rotation``: a camera that only rotates;
            ``essential``: a camera that also moves.
        inliers (np.ndarray): Mask of the inliers (N,), bool.
        error (float): Median residual of the inliers, pixels.
    """

    R_a2b: np.ndarray
    model: str
    inliers: np.ndarray
    error: float

    @property
    def inlier_ratio(self) -> float:
        """Share of the points that are inliers."""
        return float(self.inliers.mean())


def relative_rotation(
    pixels_a: np.ndarray,
    pixels_b: np.ndarray,
    K: np.ndarray,
    threshold: float = 1.5,
    prefer_rotation: float = 0.85,
    seed: int = 0,
) -> Optional[RelativeRotation]:
    """Estimate the rotation between two cameras by RANSAC.

    A pure rotation is tried first, as it needs no depth. The essential matrix has more freedom and
    fits nearly any set of points as well or better, so it is used only where it has clearly more
    inliers.

    Args:
        pixels_a (np.ndarray): Points in the first image (N, 2).
        pixels_b (np.ndarray): The same points in the second (N, 2).
        K (np.ndarray): Intrinsics of both (3, 3).
        threshold (float): Largest distance of an inlier in pixels. Defaults to 1.5.
        prefer_rotation (float): A pure rotation is used if it has this share of the inliers of the
            essential matrix. Defaults to 0.85.
        seed (int): Random seed of RANSAC. Defaults to 0.

    Returns:
        RelativeRotation, optional: None with fewer than 8 points or without inliers.
    """
    if len(pixels_a) < MIN_POINTS:
        return None
    still = _still(pixels_a, pixels_b, threshold)
    if still is not None:
        return still
    turned = _rotation_only(pixels_a, pixels_b, K, threshold, seed)
    if turned is not None and turned.inlier_ratio >= prefer_rotation:
        return turned
    moved = _essential(pixels_a, pixels_b, K, threshold)
    if moved is None or turned is None:
        return turned or moved
    enough = turned.inliers.sum() >= prefer_rotation * moved.inliers.sum()
    return turned if enough else moved


def _still(
    pixels_a: np.ndarray, pixels_b: np.ndarray, threshold: float
) -> Optional[RelativeRotation]:
    """Return the identity if many points are still, else None."""
    distance = np.linalg.norm(pixels_b - pixels_a, axis=1)
    if (distance < STILL_PIXELS).mean() < MIN_STILL_SHARE:
        return None
    inliers = distance < threshold
    return RelativeRotation(np.eye(3), 'still', inliers, float(np.median(distance[inliers])))


def viewing_directions(pixels: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Return the unit viewing directions (N, 3) of pixels (N, 2)."""
    rays = _homogeneous(pixels) @ np.linalg.inv(K).T
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def fit_rotation(rays_a: np.ndarray, rays_b: np.ndarray) -> np.ndarray:
    """Return the best rotations (..., 3, 3) from directions a (..., N, 3) to b (Kabsch)."""
    left, _, right = np.linalg.svd(np.swapaxes(rays_b, -1, -2) @ rays_a)
    sign = np.ones(left.shape[:-1])
    sign[..., 2] = np.linalg.det(left @ right)
    return (left * sign[..., None, :]) @ right


def _turned_pixels(rays: np.ndarray, R_a2b: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Project rotated directions (N, 3) to pixels (..., N, 2); 1e9 behind the camera."""
    seen = rays @ np.swapaxes(R_a2b, -1, -2) @ K.T
    depth = np.where(seen[..., 2:] > 1e-6, seen[..., 2:], np.nan)
    return np.nan_to_num(seen[..., :2] / depth, nan=1e9)


def _rotation_only(
    pixels_a: np.ndarray, pixels_b: np.ndarray, K: np.ndarray, threshold: float, seed: int
) -> Optional[RelativeRotation]:
    rays_a, rays_b = viewing_directions(pixels_a, K), viewing_directions(pixels_b, K)
    generator = np.random.default_rng(seed)
    pairs = generator.integers(0, len(rays_a), (_HYPOTHESES, 2))
    candidates = fit_rotation(rays_a[pairs], rays_b[pairs])
    # The fit to all points is one more hypothesis, the best one without outliers.
    candidates = np.concatenate((candidates, fit_rotation(rays_a, rays_b)[None]))
    distance = np.linalg.norm(_turned_pixels(rays_a, candidates, K) - pixels_b, axis=-1)
    # Truncated squares: of hypotheses with equally many inliers the closer fit wins.
    rotation = candidates[(np.minimum(distance, threshold) ** 2).sum(axis=1).argmin()]
    for _ in range(_REFINEMENTS):
        distance = np.linalg.norm(_turned_pixels(rays_a, rotation, K) - pixels_b, axis=-1)
        inliers = distance < threshold
        if inliers.sum() < MIN_POINTS // 2:
            return None
        rotation = fit_rotation(rays_a[inliers], rays_b[inliers])
    distance = np.linalg.norm(_turned_pixels(rays_a, rotation, K) - pixels_b, axis=-1)
    inliers = distance < threshold
    if not inliers.any():
        return None
    return RelativeRotation(rotation, 'rotation', inliers, float(np.median(distance[inliers])))


def _essential(
    pixels_a: np.ndarray, pixels_b: np.ndarray, K: np.ndarray, threshold: float
) -> Optional[RelativeRotation]:
    cv2.setRNGSeed(0)
    points_a, points_b = (np.ascontiguousarray(p, dtype=np.float64) for p in (pixels_a, pixels_b))
    matrix, mask = cv2.findEssentialMat(
        points_a, points_b, K, method=cv2.RANSAC, prob=0.999, threshold=threshold
    )
    if matrix is None or matrix.shape != (3, 3):
        return None
    _, rotation, shift, mask = cv2.recoverPose(matrix, points_a, points_b, K, mask=mask)
    inliers = mask[:, 0] > 0
    if inliers.sum() < MIN_POINTS:
        return None
    rays_a, rays_b = (_homogeneous(points) @ np.linalg.inv(K).T for points in (points_a, points_b))
    rotation, shift = _refine(rotation, shift[:, 0], rays_a[inliers], rays_b[inliers], K)
    distance = np.abs(_epipolar_distance(rotation, shift, rays_a, rays_b, K))
    inliers = distance < threshold
    if not inliers.any():
        return None
    return RelativeRotation(rotation, 'essential', inliers, float(np.median(distance[inliers])))


def _refine(
    rotation: np.ndarray, shift: np.ndarray, rays_a: np.ndarray, rays_b: np.ndarray, K: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit rotation and translation direction to all inliers; RANSAC fits five of them."""

    def motion(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        direction = shift + step[3:]
        return Rotation.from_rotvec(step[:3]).as_matrix() @ rotation, direction

    def distances(step: np.ndarray) -> np.ndarray:
        return _epipolar_distance(*motion(step), rays_a, rays_b, K)

    fitted = least_squares(distances, np.zeros(6), loss='soft_l1', f_scale=0.5, max_nfev=20)
    return motion(fitted.x)


def _homogeneous(pixels: np.ndarray) -> np.ndarray:
    """Append a one to each pixel (N, 2): (N, 3)."""
    return np.column_stack((pixels, np.ones(len(pixels))))


def _epipolar_distance(
    rotation: np.ndarray, shift: np.ndarray, rays_a: np.ndarray, rays_b: np.ndarray, K: np.ndarray
) -> np.ndarray:
    """Return the signed Sampson distances (N,), pixels; the length of the shift has no effect.

    Args:
        rotation (np.ndarray): From the first camera to the second (3, 3).
        shift (np.ndarray): Direction of the translation (3,).
        rays_a (np.ndarray): ``inv(K)`` times the points of the first image (N, 3).
        rays_b (np.ndarray): The same for the second image (N, 3).
        K (np.ndarray): Intrinsics of both (3, 3), upper triangular.
    """
    x, y, z = shift
    essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ rotation
    lines_b, lines_a = rays_a @ essential.T, rays_b @ essential
    # A line l of rays is the line inv(K).T l of pixels; its slope needs only the upper 2 x 2.
    upper = np.array([[1 / K[0, 0], 0], [-K[0, 1] / (K[0, 0] * K[1, 1]), 1 / K[1, 1]]])
    slope = ((lines_b[:, :2] @ upper.T) ** 2).sum(1) + ((lines_a[:, :2] @ upper.T) ** 2).sum(1)
    return (rays_b * lines_b).sum(1) / np.sqrt(np.maximum(slope, 1e-18))
