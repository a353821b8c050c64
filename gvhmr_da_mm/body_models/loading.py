"""Locating and reading of SMPL and SMPL-X model files.

The folders and file names are those of the ``smplx`` package (``smplx/SMPLX_NEUTRAL.npz``,
``smpl/SMPL_MALE.pkl``). Its classes are not used to read them: ``smplx.SMPLX`` unpickles every
object array of the file (``np.load(allow_pickle=True)``) and does not accept arrays, both classes
pose meshes of the original vertex count only, and both keep poses as parameters, which would be
saved in checkpoints. The tests compare with the package's own forward.
"""

import zipfile
import zlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ..core.checks import check_choice
from ..core.conventions import GENDERS
from ..core.errors import DataError
from ..fileio.paths import resolve_data_root
from ..fileio.restricted_pickle import load_restricted_pickle, stored_array

NUM_SMPLX_JOINTS = 55
NUM_SMPL_JOINTS = 24
SMPLX_HAND_POSE = 45

_FILE_NAMES = {'smplx': 'SMPLX_{}.npz', 'smpl': 'SMPL_{}.pkl'}
_HOW_TO_GET = {
    'smplx': 'SMPL-X v1.1: register at https://smpl-x.is.tue.mpg.de and download the models',
    'smpl': 'SMPL v1.1.0: register at https://smpl.is.tue.mpg.de, download the models for Python '
    'and rename them to SMPL_{NEUTRAL,MALE,FEMALE}.pkl',
}
_READ_ERRORS = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class BodyArrays:
    """The arrays of a model file that posing needs (J joints, V vertices, S shape components).

    Args:
        v_template (np.ndarray): Mesh at rest in m, (V, 3).
        shapedirs (np.ndarray): Shape blend shapes in m, (V, 3, S).
        posedirs (np.ndarray): Pose blend shapes in m, (V, 3, 9 (J - 1)).
        J_regressor (np.ndarray): Vertices to joints, (J, V).
        weights (np.ndarray): Skinning weights, (V, J).
        faces (np.ndarray): Triangles, (T, 3) int64.
        parents (tuple[int, ...]): Parent of each joint, -1 for the root.
        hand_mean (np.ndarray): Mean pose of both hands, axis-angle in rad, (30, 3); empty for SMPL.
    """

    v_template: np.ndarray
    shapedirs: np.ndarray
    posedirs: np.ndarray
    J_regressor: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    parents: tuple[int, ...]
    hand_mean: np.ndarray


def body_model_file(
    kind: str,
    gender: str = 'neutral',
    data_root: Optional[Union[str, Path]] = None,
    model_path: Optional[Union[str, Path]] = None,
) -> tuple[Path, str]:
    """Return the expected path of a model file, and how to get the file.

    Args:
        kind (str): 'smplx' or 'smpl'.
        gender (str): 'neutral', 'male' or 'female'. Defaults to 'neutral'.
        data_root (str | Path, optional): Folder that holds ``body_models/{smplx,smpl}``.
        model_path (str | Path, optional): The file itself, or the folder with the files.

    Returns:
        tuple[Path, str]: The path, which may not exist, and a hint for error messages.

    Raises:
        ConfigError: If the gender is unknown.
    """
    check_choice(gender, GENDERS, 'gender')
    path = Path(model_path or resolve_data_root(data_root) / 'body_models' / kind).expanduser()
    if path.is_dir() or not path.suffix:
        path = path / _FILE_NAMES[kind].format(gender.upper())
    return path, _HOW_TO_GET[kind]


def load_body_arrays(path: Union[str, Path], kind: str) -> BodyArrays:
    """Read and check a model file.

    Args:
        path (str | Path): A ``.npz`` or ``.pkl`` file. No code in it is run.
        kind (str): 'smplx' or 'smpl'.

    Returns:
        BodyArrays: Floating-point arrays as float64.

    Raises:
        DataError: If the file cannot be read, or an array is missing or has the wrong shape.
    """
    path = Path(path)
    raw = _read_raw(path, kind)
    num_joints = NUM_SMPLX_JOINTS if kind == 'smplx' else NUM_SMPL_JOINTS
    sizes = {'J': num_joints, 'P': 9 * (num_joints - 1)}
    patterns = {
        'v_template': 'V 3',
        'shapedirs': 'V 3 S',
        'posedirs': 'V 3 P',
        'J_regressor': 'J V',
        'weights': 'V J',
        'f': 'T 3',
        'kintree_table': '2 J',
    }
    for key, pattern in patterns.items():
        _check(path, key, raw[key], pattern, sizes)
    hand_mean = np.zeros((0, 3))
    if kind == 'smplx':
        sizes['H'] = SMPLX_HAND_POSE
        hands = [_check(path, key, raw[key], 'H', sizes) for key in ('hands_meanl', 'hands_meanr')]
        hand_mean = np.concatenate(hands).reshape(-1, 3)
    # The root's parent is stored as 2**32 - 1 or as -1, depending on the release.
    parents = (-1, *(int(parent) for parent in raw['kintree_table'][0, 1:]))
    if any(not 0 <= parent < num_joints for parent in parents[1:]):
        raise DataError(
            f'{path}: parents in `kintree_table` should be 0 to {num_joints - 1}, got {parents[1:]}'
        )
    faces = raw['f'].astype(np.int64)
    if faces.size and not 0 <= faces.min() <= faces.max() < sizes['V']:
        raise DataError(
            f'{path}: `f` should be vertices 0 to {sizes["V"] - 1}, got {faces.min()} to '
            f'{faces.max()}'
        )
    blend = ('v_template', 'shapedirs', 'posedirs', 'J_regressor', 'weights')
    arrays = {key: raw[key].astype(np.float64) for key in blend}
    return BodyArrays(**arrays, faces=faces, parents=parents, hand_mean=hand_mean)


def _read_raw(path: Path, kind: str) -> dict[str, np.ndarray]:
    keys = ['v_template', 'shapedirs', 'posedirs', 'J_regressor', 'weights', 'f', 'kintree_table']
    if kind == 'smplx':
        keys += ['hands_meanl', 'hands_meanr']
    with _open(path) as content:
        missing = [key for key in keys if key not in content]
        if missing:
            raise DataError(
                f'{path} lacks {missing}, which a {kind} model file has; '
                f'it has {sorted(map(str, content))}'
            )
        arrays = {}
        for key in keys:  # other entries, such as SMPL-X's pickled `joint2num`, are never read
            try:
                arrays[key] = stored_array(content[key])
            except (DataError, *_READ_ERRORS) as error:
                raise DataError(f'{path}: `{key}` cannot be read: {error}') from error
    return arrays


def _open(path: Path) -> AbstractContextManager[Mapping[str, Any]]:
    """Open a model file as a mapping; an archive is read entry by entry."""
    if path.suffix == '.npz':
        try:
            return np.load(path, allow_pickle=False)
        except _READ_ERRORS as error:
            raise DataError(f'{path} should be an .npz archive, but is not: {error}') from error
    if path.suffix != '.pkl':
        raise DataError(f'{path} should be an .npz or .pkl file, got {path.suffix!r}')
    content = load_restricted_pickle(path)
    if not isinstance(content, dict):
        raise DataError(f'{path} should hold a dict of arrays, got {type(content).__name__}')
    return nullcontext(content)


def _check(
    path: Path, key: str, array: np.ndarray, pattern: str, sizes: dict[str, int]
) -> np.ndarray:
    """Check a shape against a pattern and bind the sizes of its letters in ``sizes``."""
    dims = pattern.split()
    matches = array.ndim == len(dims)
    for dim, size in zip(dims, array.shape):
        expected = int(dim) if dim.isdigit() else sizes.setdefault(dim, size)
        matches = matches and size == expected
    if not matches:
        expected = ', '.join(
            dim if dim.isdigit() else f'{dim}={sizes[dim]}' if dim in sizes else dim for dim in dims
        )
        raise DataError(f'{path}: `{key}` should have shape ({expected}), got {array.shape}')
    if not np.isfinite(array).all():
        raise DataError(f'{path}: `{key}` holds numbers that are not finite')
    return array
