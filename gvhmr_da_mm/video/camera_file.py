"""Camera rotations that somebody else has measured, from a file."""

import zipfile
from pathlib import Path
from typing import Union

import numpy as np

from ..core.errors import DataError, MissingFilesError

_KEYS = ('R_w2c', 'T_w2c')
_TOLERANCE = 1e-3
_FORMS = 'rotations (F, 3, 3), poses (F, 4, 4), or 9 numbers a line'


def read_camera_rotations(path: Union[str, Path]) -> np.ndarray:
    """Read world-to-camera rotations.

    Args:
        path (str | Path): ``.npz`` with ``R_w2c`` (F, 3, 3) or ``T_w2c`` (F, 4, 4), ``.npy`` with
            either, or a text file with the 9 numbers of a rotation, row by row, on each line.

    Returns:
        np.ndarray: Rotations (F, 3, 3), float64, made exactly orthonormal.

    Raises:
        MissingFilesError: If there is no such file.
        DataError: If it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFilesError(f'there is no file of camera rotations {str(path)!r}')
    try:
        rotations = np.asarray(_read(path), dtype=np.float64)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f'{path} should hold {_FORMS}; it cannot be read ({error})') from error
    if rotations.ndim == 2 and rotations.shape[1] == 9:
        rotations = rotations.reshape(-1, 3, 3)
    if rotations.ndim != 3 or rotations.shape[1:] not in ((3, 3), (4, 4)) or not len(rotations):
        raise DataError(f'{path} should hold {_FORMS}, got shape {rotations.shape}')
    rotations = rotations[:, :3, :3]
    left, scale, right = np.linalg.svd(np.nan_to_num(rotations))
    right_handed = np.linalg.det(left @ right) > 0
    good = np.isfinite(rotations).all(axis=(1, 2)) & right_handed
    good &= np.abs(scale - 1).max(axis=1) < _TOLERANCE
    if not good.all():
        raise DataError(
            f'{path}: the matrix of frame {int(np.argmin(good))} is no rotation from world to '
            'camera (orthonormal, determinant 1); a pose with scale has to be normalised first'
        )
    return left @ right


def _read(path: Path) -> np.ndarray:
    if path.suffix == '.npz':
        with np.load(path, allow_pickle=False) as content:
            for key in _KEYS:
                if key in content:
                    return content[key]
            raise ValueError(f'expected one of {_KEYS}, got {content.files}')
    if path.suffix == '.npy':
        return np.load(path, allow_pickle=False)
    return np.loadtxt(path, delimiter=',' if ',' in path.read_text()[:1000] else None, ndmin=2)
