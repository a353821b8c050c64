"""Calibrated cameras as Qualisys writes them.

Note:
    World and camera in metres; the world has z up, cameras have x right, y down, z forward.
"""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import DataError, MissingFilesError

SUBPIXEL = 64
"""Units of the file per pixel."""
CALIBRATION_PATTERN = '*.qca.txt'
MIN_VIEWS = 3
"""Cameras that a reference needs: two for a point, a third to check it."""


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


def find_calibration(folder: Path) -> Path:
    """Return the calibration of a folder.

    Raises:
        MissingFilesError: If there is no such folder.
        DataError: If it does not hold one calibration.
    """
    if not folder.is_dir():
        raise MissingFilesError(
            f'there is no folder {str(folder)!r} of videos of calibrated cameras and their '
            f'calibration ({CALIBRATION_PATTERN})'
        )
    found = sorted(folder.glob(CALIBRATION_PATTERN))
    if len(found) != 1:
        raise DataError(
            f'{folder} should hold one calibration of its cameras, {CALIBRATION_PATTERN} of '
            f'Qualisys, got {len(found)}'
        )
    return found[0]


def read_views(path: Path, min_views: int = MIN_VIEWS) -> list[View]:
    """Read a ``.qca.txt`` file; lens distortion is left out.

    Args:
        path (Path): The file.
        min_views (int): Least number of cameras. Defaults to 3.

    Raises:
        DataError: If it is no calibration with that many cameras.
    """
    try:
        cameras = list(ElementTree.parse(path).getroot().iter('camera'))
        views = sorted((_view(camera) for camera in cameras), key=lambda view: view.name)
    except (ElementTree.ParseError, OSError) as error:
        raise DataError(f'{path} should be a calibration of Qualisys (XML): {error}') from error
    except (AttributeError, KeyError, ValueError) as error:
        raise DataError(
            f'{path}: a camera should have numbers for `serial`, `transform` and `intrinsic`, as '
            f'Qualisys writes them ({error})'
        ) from error
    if len(views) < min_views:
        raise DataError(f'{path}: expected at least {min_views} cameras, got {len(views)}')
    return views


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
