"""Reading of camera rotations, poses and intrinsics from a file."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from ..core.errors import DataError, MissingFilesError
from ..core.extrinsics import AXES
from .calibrated_views import read_views

_KEYS = ('R_w2c', 'T_w2c')
_TOLERANCE = 1e-3
_FORMS = 'rotations (F, 3, 3), poses (F, 4, 4), one of them, or 9 numbers a line'
CALIBRATION_SUFFIX = '.qca.txt'
MAX_DISTANCE = 1000.0
"""Metres from the origin of the world; cameras beyond it are in other units."""


class CameraPoses(NamedTuple):
    """Rotations of a camera and, if known, its positions and intrinsics.

    Args:
        path (Path): The file they are from.
        R_w2c (np.ndarray): World to camera (F, 3, 3), float64, exactly orthonormal; of one frame
            for a static camera.
        centres (np.ndarray, optional): Camera positions in the world (F, 3), m. Defaults to None.
        up (str): Axis of the world that is up, of :data:`~gvhmr_da_mm.core.extrinsics.AXES`.
            Defaults to '': unknown.
        K (np.ndarray, optional): Intrinsics (3, 3), pixels. Defaults to None.
    """

    path: Path
    R_w2c: np.ndarray
    centres: Optional[np.ndarray] = None
    up: str = ''
    K: Optional[np.ndarray] = None


def read_camera_poses(path: Union[str, Path], name: str = '') -> CameraPoses:
    """Read world-to-camera rotations or poses.

    Args:
        path (str | Path): ``.npz`` with ``R_w2c`` (F, 3, 3) or ``T_w2c`` (F, 4, 4), or one matrix
            for a static camera, optionally with ``up``, the up axis of the world of ``T_w2c``, and
            ``K_fullimg`` (3, 3); ``.npy`` with rotations or poses; a text file with the 9 numbers
            of a rotation, row by row, on each line; or ``.qca.txt``, a calibration of Qualisys.
        name (str): Name of the camera in a calibration. Defaults to ''.

    Raises:
        MissingFilesError: If there is no such file.
        DataError: If its content is not rotations or poses, or a camera is impossible.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFilesError(f'the file of camera rotations {str(path)!r} does not exist')
    if path.name.endswith(CALIBRATION_SUFFIX):
        return _calibrated(path, name)
    try:
        content = _read(path)
        values = np.asarray(content['poses'], dtype=np.float64)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f'{path} should hold {_FORMS}, but cannot be read ({error})') from error
    if values.ndim == 2 and values.shape[1] == 9:
        values = values.reshape(-1, 3, 3)
    elif values.shape in ((3, 3), (4, 4)):
        values = values[None]
    if values.ndim != 3 or values.shape[1:] not in ((3, 3), (4, 4)) or not len(values):
        raise DataError(f'{path} should hold {_FORMS}, got shape {values.shape}')
    R_w2c = _rotations(path, values[:, :3, :3])
    centres = None
    if values.shape[1:] == (4, 4):
        _check_last_rows(path, values[:, 3])
        centres = _centres(path, R_w2c, values[:, :3, 3])
    up, K = _up(path, content, centres), _intrinsics(path, content)
    return CameraPoses(path, R_w2c, centres, up, K)


def _calibrated(path: Path, name: str) -> CameraPoses:
    """Return a static camera of a calibration, whose world is z up."""
    views = {view.name: view for view in read_views(path, min_views=1)}
    if name not in views:
        raise DataError(
            f'{path} has no camera {name!r}, only {", ".join(views)}: name the video as its camera'
        )
    view = views[name]
    return CameraPoses(path, view.R[None], -(view.R.T @ view.t)[None], '+z', view.K)


def _read(path: Path) -> Mapping[str, Any]:
    """Return ``poses``, and ``up`` and ``K_fullimg`` if the file has them."""
    if path.suffix == '.npz':
        with np.load(path, allow_pickle=False) as content:
            found = {key: content[key] for key in content.files if key in ('up', 'K_fullimg')}
            for key in _KEYS:
                if key in content:
                    return dict(found, poses=content[key])
            raise ValueError(f'expected one of {_KEYS}, got {content.files}')
    if path.suffix == '.npy':
        return dict(poses=np.load(path, allow_pickle=False))
    delimiter = ',' if ',' in path.read_text()[:1000] else None
    return dict(poses=np.loadtxt(path, delimiter=delimiter, ndmin=2))


def _rotations(path: Path, rotations: np.ndarray) -> np.ndarray:
    """Return the nearest rotations (F, 3, 3), which may differ by rounding only."""
    left, scale, right = np.linalg.svd(np.nan_to_num(rotations))
    right_handed = np.linalg.det(left @ right) > 0
    good = np.isfinite(rotations).all(axis=(1, 2)) & right_handed
    good &= np.abs(scale - 1).max(axis=1) < _TOLERANCE
    if not good.all():
        raise DataError(
            f'{path}: the matrix of frame {int(np.argmin(good))} is not a rotation from world '
            'to camera (orthonormal, determinant 1): remove the scale of poses first'
        )
    return left @ right


def _check_last_rows(path: Path, rows: np.ndarray) -> None:
    """Raise an error if the last rows (F, 4) of poses are not 0, 0, 0, 1."""
    good = (np.abs(rows - (0, 0, 0, 1)) < _TOLERANCE).all(axis=1)
    if not good.all():
        frame = int(np.argmin(good))
        raise DataError(
            f'{path}: the last row of the pose of frame {frame} should be 0 0 0 1, got '
            f'{rows[frame].round(4).tolist()}: transpose matrices that have the translation there'
        )


def _centres(path: Path, R_w2c: np.ndarray, translations: np.ndarray) -> np.ndarray:
    """Return the camera positions (F, 3)."""
    finite = np.isfinite(translations).all(axis=1)
    if not finite.all():
        raise DataError(f'{path}: the translation of frame {int(np.argmin(finite))} is not finite')
    return -np.einsum('fji,fj->fi', R_w2c, translations)


def _up(path: Path, content: Mapping[str, Any], centres: Optional[np.ndarray]) -> str:
    """Return the up axis of a world with known camera positions in metres."""
    if 'up' not in content:
        return ''
    stated = str(content['up'])
    axis = stated if stated.startswith(('+', '-')) else f'+{stated}'
    if axis not in AXES:
        raise DataError(f'{path}: `up` should be one of {", ".join(AXES)}, got {stated!r}')
    if centres is None:
        raise DataError(f'{path}: `up` needs poses `T_w2c`, got rotations only: leave it out')
    distance = float(np.linalg.norm(centres, axis=1).max())
    if distance > MAX_DISTANCE:
        raise DataError(
            f'{path}: the camera is {distance:.0f} m from the origin of its world, expected at '
            f'most {MAX_DISTANCE:g}: divide translations in millimetres by 1000, or move the origin'
        )
    return axis


def _intrinsics(path: Path, content: Mapping[str, Any]) -> Optional[np.ndarray]:
    """Return the intrinsics (3, 3) if the file has them."""
    if 'K_fullimg' not in content:
        return None
    K = np.asarray(content['K_fullimg'])
    pinhole = K.shape == (3, 3) and K.dtype.kind in 'iuf' and np.isfinite(K).all()
    # Zeros below the diagonal, and a last row of (0, 0, 1).
    pinhole = pinhole and K[1, 0] == 0 and (K[2] == (0, 0, 1)).all() and (np.diag(K) > 0).all()
    if not pinhole:
        raise DataError(
            f'{path}: `K_fullimg` should be intrinsics [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in '
            f'pixels of the video, got {K.tolist()}'
        )
    return K.astype(np.float64)
