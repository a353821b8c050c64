"""Results of this package and of other methods as one structure."""

from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch

from ..body_models import get_body_model
from ..core.errors import DataError
from ..export.readers import PosedMotion, StoredMotion, frame_range, pose_motion, read_result
from ..structures import CameraMotion, MotionResult, PersonMotion
from .body_root import find_body_root

PathLike = Union[str, Path]
STILL = 1e-3
"""Largest change of the matrix of a camera that stands still, m and rad."""


def load_result(
    path: PathLike,
    data_root: Optional[PathLike] = None,
    fps: Optional[float] = None,
    up: Optional[str] = None,
) -> MotionResult:
    """Load the people of a video from a file or folder; no code in it can run.

    Parameters of other body models become those of neutral SMPL-X with the same joints. Frames that
    a file leaves out between others repeat the last one before, with ``seen`` False.

    Args:
        path (str | Path): As for :func:`read_result`: ``hmr4d_results.pt`` of GVHMR or of
            :meth:`MotionResult.save`, WHAM's pkl, TRAM's npy or folder, AMASS' npz, BVH, or a
            folder with a file for each person.
        data_root (str | Path, optional): Data root of the body models. Defaults to None: as for
            :func:`.find_body_root`, so that a result of the stand-in body is one again.
        fps (float, optional): Frames per second. Defaults to None: as stored, else 30.
        up (str, optional): Up axis of the world in the file. Defaults to None: that of the format.

    Returns:
        MotionResult: With confidence 1 where none is stored, and without camera for formats that
        have none (AMASS, BVH).

    Raises:
        ConfigError: If an option is impossible.
        MissingFilesError: If the file or a body model is missing.
        DataError: If it is of no known format, damaged, or without a motion in the world.

    Examples:
        >>> load_result('hmr4d_results.pt', data_root='data').save('walk.bvh')  # doctest: +SKIP
    """
    data_root = find_body_root(data_root)
    people = [motion for motion in read_result(path, fps, up) if len(motion)]
    numbers = frame_range(people)
    persons = {motion.id: _person(motion, data_root) for motion in people}
    K = next((motion.K for motion in people if motion.K is not None), None)
    return MotionResult(
        people=persons,
        size=(0, 0) if K is None else tuple(np.round(2 * K[:2, 2]).astype(int).tolist()),
        num_frames=len(numbers),
        camera=_camera(persons, K, len(numbers)),
        video=Path(path).with_suffix(''),
        data_root=data_root,
        facts=dict(loaded_from=str(path)),
        fps=people[0].fps,
    )


@torch.no_grad()
def _person(motion: StoredMotion, data_root: Path) -> PersonMotion:
    posed = pose_motion(motion, data_root)
    if posed.world is None:
        raise DataError(
            f'{motion.path} should hold a motion in the world, got one in the camera only: for '
            'TRAM, put `camera.npy` beside it'
        )
    numbers = np.arange(motion.frames[0], motion.frames[-1] + 1)
    rows = np.searchsorted(motion.frames, numbers, 'right') - 1
    fields = {name: value[rows] for name, value in motion.fields.items()}
    confidence = fields.pop('confidence', np.ones(len(rows)))
    seen = np.isin(numbers, motion.frames) & fields.pop('seen', np.ones(len(rows))).astype(bool)
    arrays: dict[str, Any] = {name: x.numpy()[rows] for name, x in posed.fields().items()}
    if 'joints_w' not in fields:
        fields['joints_w'] = _joints(posed, data_root)[rows]
    return PersonMotion(
        id=motion.id,
        first_frame=int(motion.frames[0]),
        seen=seen,
        confidence=np.where(seen, confidence, 0.0),
        **arrays,
        **{name: value.astype(np.float32) for name, value in fields.items()},
    )


def _joints(posed: PosedMotion, data_root: Path) -> np.ndarray:
    """Return the 22 joints in the world (F, 22, 3), m."""
    body = get_body_model('smplx', data_root=data_root)
    return body.fk(posed.body_pose, posed.betas, *posed.world).numpy()


def _camera(
    people: dict[int, PersonMotion], K: Optional[np.ndarray], frames: int
) -> Optional[CameraMotion]:
    """Return the camera that the motions in both spaces imply; frames without anybody repeat."""
    if K is None or not all(person.in_camera for person in people.values()):
        return None
    T = np.full((frames, 4, 4), np.nan)
    for person in people.values():
        T[person.frames] = person.T_w2c
    known = np.flatnonzero(np.isfinite(T).all(axis=(1, 2)))
    nearest = np.clip(np.searchsorted(known, np.arange(frames), 'right') - 1, 0, None)
    T = T[known[nearest]]
    static = bool(np.abs(T - T[:1]).max() < STILL)
    return CameraMotion(K=K, T_w2c=T, static=static, source='file')
