"""Reader of AMASS files with motions of SMPL-X, SMPL+H or SMPL."""

import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

from ..core.checks import fits_shape, shape_text
from ..core.conventions import FPS, GENDERS
from ..core.errors import DataError
from ..core.layout import NUM_BETAS, NUM_JOINTS

POSE_SIZES = {165: 'smplx', 156: 'smplh', 72: 'smpl'}
"""Columns of ``poses`` by body; the first 22 joints of all are those of this package."""
RECORDED_BODIES = ('smplx', 'smplh')
"""Bodies of the recordings that AMASS publishes for training."""
FRAME_RATE_KEYS = ('mocap_frame_rate', 'mocap_framerate')
"""Names of the frame rate in files with SMPL-X and with SMPL+H."""
_DAMAGED = (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError)
_SHAPE_FILES = ('*_stagei.npz', 'shape.npz')
"""Patterns of files without a motion, which hold the shape of a person."""


def amass_files(folder: Path) -> list[Path]:
    """Return the motion files below a folder, sorted."""
    return sorted(
        path
        for path in folder.rglob('*.npz')
        if not any(path.match(pattern) for pattern in _SHAPE_FILES)
    )


@dataclass(frozen=True)
class AMASSHeader:
    """Header of a motion file.

    Args:
        body (str): ``smplx``, ``smplh`` or ``smpl``.
        gender (str): ``neutral``, ``male`` or ``female``.
        frame_rate (float): Frames per second.
        frames (int): Frames of the recording.
    """

    body: str
    gender: str
    frame_rate: float
    frames: int

    @property
    def frames_30(self) -> int:
        """Frames at 30 frames per second."""
        return int((self.frames - 1) * FPS / self.frame_rate + 1e-6) + 1


def read_header(path: Path, bodies: Collection[str] = RECORDED_BODIES) -> AMASSHeader:
    """Read the header of a motion file.

    Args:
        path (Path): An ``.npz`` file. Nothing in it is executed.
        bodies (Collection[str]): Bodies to accept. Defaults to SMPL-X and SMPL+H.

    Raises:
        DataError: If a field is missing or invalid.
    """
    with _open(path) as archive:
        shape = _shape(path, archive, 'poses')
        sizes = [size for size, body in POSE_SIZES.items() if body in bodies]
        if len(shape) != 2 or shape[0] < 1 or shape[1] not in sizes:
            raise _error(
                path,
                'poses',
                f'frames of {" or ".join(map(str, sizes))} numbers '
                f'({", ".join(POSE_SIZES[size] for size in sizes)})',
                f'shape {shape}',
                _remedy(shape),
            )
        gender = _text(path, archive, 'gender') if 'gender' in archive.files else 'neutral'
        if gender not in GENDERS:
            raise _error(path, 'gender', f'one of {", ".join(GENDERS)}', repr(gender))
        return AMASSHeader(POSE_SIZES[shape[1]], gender, _frame_rate(path, archive), shape[0])


def read_arrays(path: Path) -> dict[str, torch.Tensor]:
    """Read the motion of a file.

    Args:
        path (Path): An ``.npz`` file. Nothing in it is executed.

    Returns:
        dict[str, Tensor]: ``poses`` (F, 66) axis-angle of root and body, ``trans`` (F, 3) m and
        ``betas`` (10,), float32, as stored.

    Raises:
        DataError: If a field is missing, of another shape or not finite.
    """
    with _open(path) as archive:
        poses = _numbers(path, archive, 'poses', None, None)[:, : 3 * NUM_JOINTS].copy()
        trans = _numbers(path, archive, 'trans', len(poses), 3)
        betas = _numbers(path, archive, 'betas', None)[:NUM_BETAS]
    if len(betas) < NUM_BETAS:
        raise _error(path, 'betas', f'at least {NUM_BETAS} numbers', str(len(betas)))
    for key, values in (('poses', poses), ('trans', trans), ('betas', betas[None])):
        bad = ~np.isfinite(values).all(axis=1)
        if bad.any():
            raise _error(
                path,
                key,
                'finite numbers',
                f'NaN or infinity in {int(bad.sum())} of {len(values)} rows, first in row '
                f'{int(bad.argmax())}',
                "Download the file again, or leave it out (`exclude`, or on_bad_sample='skip')",
            )
    return {key: torch.from_numpy(value) for key, value in zip(_MOTION, (poses, trans, betas))}


_MOTION = ('poses', 'trans', 'betas')


def _open(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except _DAMAGED as error:
        raise DataError(
            f'{path} should be an .npz archive of AMASS, but cannot be read ({error}): download it '
            'again'
        ) from error


def _error(path: Path, key: str, expected: str, got: str, remedy: str = '') -> DataError:
    remedy = remedy or 'Is this a file of AMASS, complete? Download it again, or `exclude` it'
    return DataError(f'{path}: field `{key}`: expected {expected}, got {got}. {remedy}')


def _value(path: Path, archive: Any, key: str) -> np.ndarray:
    if key not in archive.files:
        raise _error(path, key, 'a value', f'none (fields: {", ".join(archive.files)})')
    try:
        return archive[key]
    except _DAMAGED as error:
        raise _error(path, key, 'an array', f'what cannot be read ({error})') from error


def _text(path: Path, archive: Any, key: str) -> str:
    value = _value(path, archive, key).item()
    return value.decode() if isinstance(value, bytes) else str(value)


def _numbers(path: Path, archive: Any, key: str, *shape: Optional[int]) -> np.ndarray:
    """Return an array of float32; None stands for any size."""
    value = _value(path, archive, key)
    if not fits_shape(value.shape, shape) or value.dtype.kind not in 'fiu':
        wanted = f'numbers of shape {shape_text(shape)}'
        raise _error(path, key, wanted, f'{value.dtype} of shape {value.shape}')
    return value.astype(np.float32)


def _shape(path: Path, archive: Any, key: str) -> tuple[int, ...]:
    """Return the shape of an array without reading its numbers."""
    if key not in archive.files:
        raise _error(path, key, 'a motion', f'none (fields: {", ".join(archive.files)})')
    try:
        with archive.zip.open(f'{key}.npy') as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            return (read if version == (1, 0) else np.lib.format.read_array_header_2_0)(file)[0]
    except _DAMAGED as error:
        raise _error(path, key, 'an array', f'what cannot be read ({error})') from error


def _frame_rate(path: Path, archive: Any) -> float:
    names = [name for name in FRAME_RATE_KEYS if name in archive.files]
    if not names:
        raise _error(
            path,
            FRAME_RATE_KEYS[0],
            'the frames per second of the recording',
            'none',
            'Without them the motion has no speed: download the file again, or add the number '
            'that it was recorded with',
        )
    rate = float(_numbers(path, archive, names[0]))
    if not 1 <= rate <= 10_000:
        raise _error(path, names[0], 'frames per second', f'{rate:g}')
    return rate


def _remedy(shape: tuple[int, ...]) -> str:
    if shape[1:] == (72,):
        return (
            'These are poses of SMPL, whose last joints and origin differ: download the SMPL-X or '
            'SMPL+H files of the same data set'
        )
    return 'Download the SMPL-X or SMPL+H files of the data set'
