"""Files of AMASS: SMPL-X or SMPL+H motions as they are downloaded."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

from ...body_models.loading import GENDERS
from ...core.conventions import FPS
from ...core.errors import DataError
from ...core.layout import NUM_BETAS, NUM_JOINTS
from ..converters.raw_fields import RawFields

POSE_SIZES = {165: 'smplx', 156: 'smplh'}
"""Columns of ``poses`` of the two bodies whose first 22 joints are ours."""
FRAME_RATES = ('mocap_frame_rate', 'mocap_framerate')
"""The files with SMPL-X and those with SMPL+H name it differently."""
_DAMAGED = (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError)
_NO_MOTION = ('*_stagei.npz', 'shape.npz')
"""Files beside the motions that hold a person's shape alone."""


def amass_files(folder: Path) -> list[Path]:
    """Return the motion files below a folder, sorted."""
    return sorted(
        path
        for path in folder.rglob('*.npz')
        if not any(path.match(pattern) for pattern in _NO_MOTION)
    )


@dataclass(frozen=True)
class AMASSHeader:
    """What a file says besides its motion.

    Args:
        body (str): ``smplx`` or ``smplh``.
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


def read_header(path: Path) -> AMASSHeader:
    """Read all but the numbers of a motion file.

    Args:
        path (Path): An ``.npz`` file. Nothing in it is executed.

    Raises:
        DataError: If a field is missing or of another kind; the message says what to do.
    """
    with _open(path) as archive:
        shape = _shape(path, archive, 'poses')
        names = [name for name in FRAME_RATES if name in archive.files]
        small = [*names, *(key for key in ('gender',) if key in archive.files)]
        raw = RawFields(path, {key: _array(path, archive, key) for key in small})
        if len(shape) != 2 or shape[1] not in POSE_SIZES:
            raise DataError(
                f'{path}: field `poses`: expected F frames of 165 (SMPL-X) or 156 (SMPL+H) numbers,'
                f' got shape {shape}. {_remedy(shape)}'
            )
        if shape[0] < 1:
            raise DataError(f'{path}: field `poses`: expected at least one frame, got none')
        gender = raw.text('gender') if 'gender' in small else 'neutral'
        if gender not in GENDERS:
            raise raw.error('gender', f'one of {", ".join(GENDERS)}', repr(gender))
        return AMASSHeader(POSE_SIZES[shape[1]], gender, _frame_rate(path, raw, names), shape[0])


def read_arrays(path: Path) -> dict[str, torch.Tensor]:
    """Read the motion of a file.

    Args:
        path (Path): An ``.npz`` file. Nothing in it is executed.

    Returns:
        dict[str, Tensor]: ``poses`` (F, 66) axis-angle of root and body, ``trans`` (F, 3) m and
        ``betas`` (10,), float32, as the file has them.

    Raises:
        DataError: If a field is missing, of another shape or not finite.
    """
    with _open(path) as archive:
        present = [key for key in _MOTION if key in archive.files]
        raw = RawFields(path, {key: _array(path, archive, key) for key in present})
        poses = raw.array('poses', None, None)[:, : 3 * NUM_JOINTS].copy()
        trans = raw.array('trans', len(poses), 3)
        betas = raw.array('betas', None)[:NUM_BETAS]
        if len(betas) < NUM_BETAS:
            raise raw.error('betas', f'at least {NUM_BETAS} numbers', str(len(betas)))
    for key, values in (('poses', poses), ('trans', trans), ('betas', betas[None])):
        bad = ~np.isfinite(values).all(axis=1)
        if bad.any():
            count, first = int(bad.sum()), int(bad.argmax())
            raise DataError(
                f'{path}: field `{key}`: expected finite numbers, got NaN or infinity in '
                f'{count} of {len(values)} rows, first in row {first}: download the file again, or '
                "leave it out (`exclude`, or on_bad_sample='skip')"
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


def _array(path: Path, archive: Any, key: str) -> np.ndarray:
    try:
        return archive[key]
    except _DAMAGED as error:
        raise DataError(f'{path}: field `{key}` cannot be read: {error}') from error


def _shape(path: Path, archive: Any, key: str) -> tuple[int, ...]:
    """Return the shape of an array without reading its numbers."""
    if key not in archive.files:
        raise DataError(
            f'{path}: field `{key}`: expected a motion, got none (fields: '
            f'{", ".join(archive.files)}); is this a file of AMASS? Leave it out with `exclude`'
        )
    try:
        with archive.zip.open(f'{key}.npy') as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            return (read if version == (1, 0) else np.lib.format.read_array_header_2_0)(file)[0]
    except _DAMAGED as error:
        raise DataError(f'{path}: field `{key}` cannot be read: {error}') from error


def _frame_rate(path: Path, raw: RawFields, names: list[str]) -> float:
    if not names:
        raise DataError(
            f'{path}: field `{FRAME_RATES[0]}`: expected the frames per second of the recording, '
            'got none; without them the motion has no speed. Download the file again, or add the '
            'number that its recording was made with'
        )
    rate = float(raw.array(names[0], dtype=np.float64))
    if not 1 <= rate <= 10_000:
        raise raw.error(names[0], 'frames per second', f'{rate:g}')
    return rate


def _remedy(shape: tuple[int, ...]) -> str:
    found: Optional[int] = shape[1] if len(shape) == 2 else None
    if found == 72:
        return (
            'These are poses of SMPL, whose last joints and origin differ: download the SMPL-X or '
            'SMPL+H files of the same data set'
        )
    return 'Download the SMPL-X or SMPL+H files of the data set'
