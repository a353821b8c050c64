"""Schema of sequence packs: names, shapes and types of arrays, and their checks.

Documented in ``docs/en/packs.md``. F: frames of the sequence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import torch

from ...core.checks import check_shape
from ...core.errors import DataError, ShapeError

FORMAT = 'gvhmr_da_mm.pack'
VERSION = 1
_ROTATION_TOLERANCE = 1e-2
"""Largest deviation of R R^T from the identity; published cameras are off by up to 1e-3."""


@dataclass(frozen=True)
class ArrayField:
    """Array of a sequence.

    Args:
        shapes (tuple[str, ...]): Allowed shapes, as for ``check_shape``.
        label (bool): Whether it is a 3D label, which unlabelled training never opens. Defaults to
            False.
        kind (str): ``float`` (float32), ``feature`` (float16 or float32) or ``bool``. Defaults to
            ``float``.
    """

    shapes: tuple[str, ...]
    label: bool = False
    kind: str = 'float'


def _parameters(prefix: str, body_pose: int) -> dict[str, ArrayField]:
    sizes = dict(body_pose=body_pose, betas=10, global_orient=3, transl=3)
    return {f'{prefix}.{name}': ArrayField((f'F {n}',), label=True) for name, n in sizes.items()}


ARRAYS: dict[str, ArrayField] = {
    'bbx_xys': ArrayField(('F 3',)),
    'kp2d': ArrayField(('F 17 3',)),
    'K_fullimg': ArrayField(('F 3 3', '3 3')),
    'T_w2c': ArrayField(('F 4 4', '4 4')),
    'R_w2c': ArrayField(('F 3 3',)),
    'dpvo_poses': ArrayField(('F 7',)),
    'observed': ArrayField(('F',), kind='bool'),
    'features': ArrayField(('F 1024',), kind='feature'),
    'flip_features': ArrayField(('F 1024',), kind='feature'),
    'flip_bbx_xys': ArrayField(('F 3',)),
    **_parameters('smpl_params', 69),
    **_parameters('smplx_params', 63),
    **_parameters('smplx_params_incam', 63),
    'skeleton': ArrayField(('22 3',), label=True),
    'mask': ArrayField(('F',), label=True, kind='bool'),
    'mask_raw': ArrayField(('F',), label=True, kind='bool'),
    'mask_wham': ArrayField(('F',), label=True, kind='bool'),
}
"""Every array that a sequence may hold."""
REQUIRED = ('bbx_xys', 'K_fullimg')
CAMERAS = ('T_w2c', 'R_w2c')
"""A sequence has exactly one of these."""
MASKS = ('mask', 'mask_raw', 'mask_wham')
"""Frames with valid labels, by different rules."""
LABELS = tuple(name for name, field in ARRAYS.items() if field.label)


def normalize_arrays(arrays: Mapping[str, Any], frames: int, where: str) -> dict[str, np.ndarray]:
    """Check the arrays of a sequence and convert them to the stored types.

    Args:
        arrays (Mapping): Names of :data:`ARRAYS` to tensors or arrays; float64 becomes float32.
        frames (int): Frames of the sequence.
        where (str): Start of error messages.

    Returns:
        dict[str, np.ndarray]: The arrays to store.

    Raises:
        DataError: If something is missing, unknown, of another shape or type, not finite (but for
            labels of frames that no mask has), or an invalid rotation; the message names the array
            and the first bad frame.
    """
    unknown = sorted(set(arrays) - set(ARRAYS))
    if unknown:
        raise DataError(f'{where}: unknown arrays {unknown}; known are {", ".join(ARRAYS)}')
    missing = [name for name in REQUIRED if name not in arrays]
    if missing:
        raise DataError(f'{where}: expected the arrays {", ".join(missing)}, got none of that name')
    if sum(name in arrays for name in CAMERAS) != 1:
        raise DataError(f'{where}: expected exactly one of the cameras {", ".join(CAMERAS)}')
    for group in (('flip_features', 'flip_bbx_xys'), *_groups()):
        given = [name for name in group if name in arrays]
        if given and len(given) < len(group):
            raise DataError(f'{where}: {", ".join(group)} go together, got {", ".join(given)} only')
    stored = {name: _stored(name, value, frames, where) for name, value in arrays.items()}
    masks = [stored[name] for name in MASKS if name in stored]
    trusted = np.logical_or.reduce(masks) if masks else np.ones(frames, bool)
    for name, values in stored.items():
        # Labels of frames that no mask has are never read.
        per_frame = ARRAYS[name].label and len(values) == frames
        _check_finite(values, f'{where}: {name}', trusted if per_frame else None)
    for name in CAMERAS:
        if name in stored:
            _check_rotations(stored[name], f'{where}: {name}')
    _check_positive(stored['bbx_xys'][:, 2], f'{where}: bbx_xys', 'box side')
    focal = stored['K_fullimg'].reshape(-1, 3, 3)[:, [0, 1], [0, 1]].min(axis=1)
    _check_positive(focal, f'{where}: K_fullimg', 'focal length')
    return stored


def _groups() -> list[tuple[str, ...]]:
    prefixes = dict.fromkeys(name.split('.')[0] for name in ARRAYS if '.' in name)
    return [tuple(n for n in ARRAYS if n.startswith(f'{prefix}.')) for prefix in prefixes]


def _stored(name: str, value: Any, frames: int, where: str) -> np.ndarray:
    field = ARRAYS[name]
    tensor = torch.as_tensor(value).detach().cpu()
    for shape in field.shapes:
        try:
            check_shape(tensor, shape, name, F=frames)
            break
        except ShapeError:
            continue
    else:
        raise DataError(
            f'{where}: {name} should have shape ({" or ".join(field.shapes)}) with F={frames}, '
            f'got {tuple(tensor.shape)}'
        )
    if (tensor.dtype == torch.bool) != (field.kind == 'bool'):
        raise DataError(f'{where}: {name} should be of kind {field.kind}, got {tensor.dtype}')
    if field.kind == 'bool':
        return tensor.numpy()
    if field.kind != 'feature' or tensor.dtype != torch.float16:
        tensor = tensor.to(torch.float32)
    return tensor.numpy()


def _check_finite(values: np.ndarray, where: str, needed: Optional[np.ndarray]) -> None:
    """Check the rows (F, ...) of an array, or those that are needed (F,)."""
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if needed is not None:
        bad &= needed
    if bad.any():
        raise DataError(f'{where} holds NaN or infinity, first in row {int(bad.argmax())}')


def _check_rotations(cameras: np.ndarray, where: str) -> None:
    R = cameras.reshape(-1, *cameras.shape[-2:])[:, :3, :3].astype(np.float64)
    error = np.abs(R @ R.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    bad = (error > _ROTATION_TOLERANCE) | (np.linalg.det(R) < 0)
    if bad.any():
        raise DataError(
            f'{where} should hold rotations, but the matrix of row {int(bad.argmax())} is invalid '
            f'(R R^T deviates by {error[bad.argmax()]:.2g})'
        )


def _check_positive(values: np.ndarray, where: str, what: str) -> None:
    if not (values > 0).all():
        row = int((values <= 0).argmax())
        raise DataError(f'{where}: {what} of row {row} should be positive, got {values[row]}')
