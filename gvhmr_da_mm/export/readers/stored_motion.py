"""Motion of one person as a method stored it, before it is posed by a body model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
import torch

from ...core.checks import fits_shape, shape_text
from ...core.conventions import FPS
from ...core.errors import DataError, list_some


class Placement(NamedTuple):
    """Root of a body in one space: axis-angle (F, 3) and translation (F, 3), rad and m."""

    global_orient: np.ndarray
    transl: np.ndarray


@dataclass(frozen=True)
class StoredMotion:
    """Motion of one person in the parameters of its file.

    Note:
        F frames, which need not follow each other.

    Attributes:
        path (Path): The file.
        id (int): Number of the person.
        body (str): Body model of the parameters, 'smplx' or 'smpl'.
        body_pose (np.ndarray): Axis-angle (F, 63) of SMPL-X or (F, 69) of SMPL, rad.
        betas (np.ndarray): Shape (F, 10).
        frames (np.ndarray): Numbers of the frames in the video (F,), ascending.
        camera (Placement, optional): Root in the camera. Defaults to None: unknown.
        world (Placement, optional): Root in the world. Defaults to None: unknown, or by ``T_c2w``.
        T_c2w (np.ndarray, optional): Camera to world (F, 4, 4), m. Defaults to None: unknown.
        up (str): Up axis of the world. Defaults to '+y'.
        gender (str): Gender of the body model. Defaults to 'neutral'.
        rest_joints (np.ndarray, optional): Rest joints (22, 3), m, of a skeleton that replaces the
            body model. Defaults to None.
        K (np.ndarray, optional): Intrinsics (3, 3), px. Defaults to None: unknown.
        fps (float): Frames per second. Defaults to 30.
        fields (dict): Further fields of :class:`~gvhmr_da_mm.structures.PersonMotion`, F rows each.
            Defaults to {}.
    """

    path: Path
    id: int
    body: str
    body_pose: np.ndarray
    betas: np.ndarray
    frames: np.ndarray
    camera: Optional[Placement] = None
    world: Optional[Placement] = None
    T_c2w: Optional[np.ndarray] = None
    up: str = '+y'
    gender: str = 'neutral'
    rest_joints: Optional[np.ndarray] = None
    K: Optional[np.ndarray] = None
    fps: float = FPS
    fields: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.body_pose)


class StoredFields:
    """Fields of a file; errors name the file, the field, and what was expected.

    Args:
        path (Path): The file.
        content (Any): What it holds.
        kind (str): Name of the format, for messages.
        prefix (str): Path of nested fields, for messages. Defaults to ''.

    Raises:
        DataError: If it is no dict.
    """

    def __init__(self, path: Path, content: Any, kind: str, prefix: str = '') -> None:
        self.path, self.kind, self.prefix = path, kind, prefix
        if not isinstance(content, Mapping):
            raise self.error('', 'a dict', type(content).__name__)
        self.content = content

    def error(self, key: str, expected: str, got: str) -> DataError:
        """Return the error that describes a field."""
        where = f': field `{self.prefix}{key}`' if self.prefix + key else ''
        return DataError(f'{self.path}{where}: expected {expected} of {self.kind}, got {got}')

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def nested(self, key: Any) -> 'StoredFields':
        """Return the fields below a key."""
        value = self._value(key)
        return StoredFields(self.path, value, self.kind, f'{self.prefix}{key}.')

    def array(self, key: str, *shape: Optional[int]) -> np.ndarray:
        """Return an array of finite numbers, as float64 unless they are whole.

        Args:
            key (str): The field.
            shape (int | None): Its shape; None stands for any size.

        Raises:
            DataError: If it is missing, of another shape, or not finite.
        """
        value = self._value(key)
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().numpy()
        value = np.asarray(value)
        if not fits_shape(value.shape, shape) or value.dtype.kind not in 'biuf':
            wanted = f'numbers of shape {shape_text(shape)}'
            raise self.error(key, wanted, f'{value.dtype} of shape {value.shape}')
        if not np.isfinite(value).all():
            raise self.error(key, 'finite numbers', 'NaN or infinity')
        return value.astype(np.float64) if value.dtype.kind == 'f' else value

    def frames(self, key: str, count: int) -> np.ndarray:
        """Return numbers of frames (F,), which ascend."""
        values = self.array(key, count)
        numbers = values.astype(np.int64)
        if (numbers != values).any() or (numbers < 0).any() or (np.diff(numbers) <= 0).any():
            raise self.error(key, 'ascending numbers of frames', f'{values[:5].tolist()} ...')
        return numbers

    def _value(self, key: Any) -> Any:
        if key not in self.content:
            known = list_some([str(name) for name in self.content])
            raise self.error(str(key), 'a value', f'none (fields: {known})')
        return self.content[key]
