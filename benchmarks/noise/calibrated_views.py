"""Calibrated cameras as Qualisys writes them, and points seen by several of them.

Note:
    Shape letters: V views, N points. World and camera in metres; cameras have x right, y down,
    z forward.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gvhmr_da_mm.core.errors import DataError

SUBPIXEL = 64
"""Units of the file per pixel."""
SMALLEST = 0.02
"""Metres of residual below which views count the same."""
ROUNDS = 8


@dataclass(frozen=True)
class View:
    """One camera.

    Args:
        name (str): Name of its video.
        K (np.ndarray): Intrinsics (3, 3) in pixels.
        R (np.ndarray): World to camera (3, 3).
        t (np.ndarray): Translation (3,).
    """

    name: str
    K: np.ndarray
    R: np.ndarray
    t: np.ndarray

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.K[0, 0]

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Return points (..., 3) in the camera."""
        return points @ self.R.T + self.t

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return pixels (..., 2) and depths (...) of points (..., 3)."""
        inside = self.to_camera(points)
        pixels = inside @ self.K.T
        return pixels[..., :2] / pixels[..., 2:], inside[..., 2]


def read_views(path: Path) -> list[View]:
    """Read a ``.qca.txt`` file; lens distortion is left out.

    Raises:
        DataError: If it is no calibration with at least four cameras.
    """
    try:
        cameras = list(ElementTree.parse(path).getroot().iter('camera'))
    except (ElementTree.ParseError, OSError) as error:
        raise DataError(f'{path} should be a calibration of Qualisys (XML): {error}') from error
    if len(cameras) < 4:
        raise DataError(
            f'{path}: expected at least 4 cameras, three of them to check the fourth, got '
            f'{len(cameras)}'
        )
    return sorted((_view(camera) for camera in cameras), key=lambda view: view.name)


def _view(camera: ElementTree.Element) -> View:
    pose, lens = camera.find('transform').attrib, camera.find('intrinsic').attrib
    written = [[float(pose[f'r{row}{column}']) for column in (1, 2, 3)] for row in (1, 2, 3)]
    R = np.diag([1.0, -1.0, -1.0]) @ np.array(written)
    centre = np.array([float(pose[axis]) for axis in 'xyz']) / 1000
    fx, fy, cx, cy = (
        float(lens[key]) / SUBPIXEL
        for key in ('focalLengthU', 'focalLengthV', 'centerPointU', 'centerPointV')
    )
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    return View(camera.attrib['serial'], K, R, -R @ centre)


def triangulate(
    views: Sequence[View], pixels: np.ndarray, chosen: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Find points that are seen by several cameras, one of which may be wrong.

    Views are weighted by the inverse of their residual, again and again, which approaches the sum
    of the residuals' absolute values.

    Args:
        views (Sequence[View]): All V cameras.
        pixels (np.ndarray): What they see (V, N, 2).
        chosen (Sequence[int]): Views to use.

    Returns:
        tuple[np.ndarray, np.ndarray]: Points (N, 3), and the residual of all views (V, N) in metres
        at the depth of the point.
    """
    weights = np.ones(pixels.shape[:2])
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
        weights = SMALLEST / np.maximum(residual, SMALLEST)
    return points, residual


def error(view: View, points: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Return how far pixels (N, 2) are from points (N, 3), (N, 2) in metres at their depth."""
    expected, depth = view.project(points)
    return (pixels - expected) * depth[:, None] / view.focal
