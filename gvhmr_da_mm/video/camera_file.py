"""Reading of camera rotations and poses from a file."""

import zipfile
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np

from ..core.errors import DataError, MissingFilesError

_KEYS = ('R_w2c', 'T_w2c')
_TOLERANCE = 1e-3
_FORMS = 'rotations (F, 3, 3), poses (F, 4, 4), or 9 numbers a line'


class CameraPoses(NamedTuple):
    """Rotations of a camera and, if known, its positions.

    Args:
        R_w2c (np.ndarray): World to camera (F, 3, 3), float64, exactly orthonormal.
        centres (np.ndarray, optional): Camera positions in the world (F, 3), in the file's unit.
    """

    R_w2c: np.ndarray
    centres: Optional[np.ndarray]


def read_camera_poses(path: Union[str, Path]) -> CameraPoses:
    """Read world-to-camera rotations or poses.

    Args:
        path (str | Path): ``.npz`` with ``R_w2c`` (F, 3, 3) or ``T_w2c`` (F, 4, 4), ``.npy`` with
            either, or a text file with the 9 numbers of a rotation, row by row, on each line.

    Raises:
        MissingFilesError: If there is no such file.
        DataError: If its content is not rotations or poses.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFilesError(f'the file of camera rotations {str(path)!r} does not exist')
    try:
        values = np.asarray(_read(path), dtype=np.float64)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f'{path} should hold {_FORMS}, but cannot be read ({error})') from error
    if values.ndim == 2 and values.shape[1] == 9:
        values = values.reshape(-1, 3, 3)
    if values.ndim != 3 or values.shape[1:] not in ((3, 3), (4, 4)) or not len(values):
        raise DataError(f'{path} should hold {_FORMS}, got shape {values.shape}')
    rotations = values[:, :3, :3]
    left, scale, right = np.linalg.svd(np.nan_to_num(rotations))
    right_handed = np.linalg.det(left @ right) > 0
    good = np.isfinite(rotations).all(axis=(1, 2)) & right_handed
    good &= np.abs(scale - 1).max(axis=1) < _TOLERANCE
    if not good.all():
        raise DataError(
            f'{path}: the matrix of frame {int(np.argmin(good))} is not a rotation from world '
            'to camera (orthonormal, determinant 1): remove the scale of poses first'
        )
    R_w2c = left @ right
    if values.shape[1:] == (3, 3):
        return CameraPoses(R_w2c, None)
    if not np.isfinite(values[:, :3, 3]).all():
        frame = int(np.argmin(np.isfinite(values[:, :3, 3]).all(axis=1)))
        raise DataError(f'{path}: the translation of frame {frame} is not finite')
    return CameraPoses(R_w2c, -np.einsum('fji,fj->fi', R_w2c, values[:, :3, 3]))


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
