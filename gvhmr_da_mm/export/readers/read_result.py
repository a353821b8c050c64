"""Reading of results by the name of the file."""

from dataclasses import replace
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ...core.checks import check_choice, check_positive
from ...core.errors import DataError, MissingFilesError
from ...core.extrinsics import AXES
from .amass import read_amass
from .bvh import read_bvh
from .hmr4d import read_hmr4d_results
from .stored_motion import StoredMotion
from .tram import read_tram, tram_tracks
from .wham import read_wham

READERS = {
    '.pt': read_hmr4d_results,
    '.pkl': read_wham,
    '.npy': read_tram,
    '.npz': read_amass,
    '.bvh': read_bvh,
}
"""Readers by the ending of the file, the most complete format first."""


def read_result(
    path: Union[str, Path], fps: Optional[float] = None, up: Optional[str] = None
) -> list[StoredMotion]:
    """Read the people of a video, as this package or another method stored them.

    Args:
        path (str | Path): A file: ``hmr4d_results.pt`` of GVHMR, WHAM's pkl, TRAM's npy, AMASS' npz
            or BVH. Or a folder with one file for each person, all of one ending.
        fps (float, optional): Frames per second. Defaults to None: as stored, else 30.
        up (str, optional): Up axis of the world. Defaults to None: that of the format, '+z' for
            AMASS and '+y' for the others.

    Returns:
        list[StoredMotion]: People with different ids.

    Raises:
        ConfigError: If an option is impossible.
        MissingFilesError: If there is no such file.
        DataError: If it is of no known format, damaged, or would run code.
    """
    path = Path(path)
    if up is not None:
        check_choice(up, AXES, 'up')
    if fps is not None:
        check_positive(fps=fps)
    people: list[StoredMotion] = []
    for file in _files(path):
        people += READERS[file.suffix.lower()](file)
    ids = [person.id for person in people]
    if len(set(ids)) < len(ids):
        people = [replace(person, id=number) for number, person in enumerate(people)]
    known = dict(fps=fps, up=up)
    changes = {name: value for name, value in known.items() if value is not None}
    people = [replace(person, **changes) for person in people]
    if not any(len(person) for person in people):
        raise DataError(f'{path} should hold the motion of a person, got none')
    rates = sorted({person.fps for person in people})
    if len(rates) > 1:
        raise DataError(f'the people of {path} should have one frame rate, got {rates}: give `fps`')
    return people


def _files(path: Path) -> list[Path]:
    """Return the files of a result."""
    known = ', '.join(READERS)
    if not path.exists():
        raise MissingFilesError(f'there is no result {str(path)!r}')
    if path.is_file():
        if path.suffix.lower() not in READERS:
            raise DataError(f'{path} should be a result and end in one of {known}')
        return [path]
    found = tram_tracks(path)
    for ending in READERS:
        files = [file for file in path.iterdir() if file.suffix.lower() == ending]
        found = found or sorted(files, key=_natural)
    if not found:
        raise DataError(f'{path} should be a folder with results that end in one of {known}')
    return found


def _natural(path: Path) -> tuple[int, str]:
    """Sort `x_10` behind `x_9`."""
    return len(path.stem), path.stem


def frame_range(people: list[StoredMotion]) -> np.ndarray:
    """Return the numbers of the frames from the first of the video to the last of anybody."""
    return np.arange(1 + max(int(person.frames[-1]) for person in people if len(person)))
