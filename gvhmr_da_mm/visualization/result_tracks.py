"""Tracks of the people of a result."""

from functools import partial
from typing import Callable

import numpy as np
import torch

from ..body_models import get_body_model
from ..structures import MotionResult, PersonMotion
from .body_track import BodyTrack

_CAMERA_POSE = ('body_pose', 'betas', 'global_orient_c', 'transl_c')


def result_tracks(result: MotionResult, with_mesh: bool = True) -> dict[int, BodyTrack]:
    """Return the tracks of people by their id, over all frames of the video.

    Args:
        result (MotionResult): N frames, with motions in the camera.
        with_mesh (bool): Whether to add meshes, of which the data root of the result needs a body
            model. Defaults to True.

    Raises:
        DataError: If a motion in the camera is unknown.
        MissingFilesError: If the body model does not exist.
    """
    body = get_body_model('smplx', data_root=result.data_root) if with_mesh else None
    return {number: _track(result, person, body) for number, person in result.people.items()}


def over_video(result: MotionResult, person: PersonMotion, values: np.ndarray) -> np.ndarray:
    """Repeat the first and last value of a person (F, ...) over the frames of the video (N, ...).

    Args:
        result (MotionResult): N frames.
        person (PersonMotion): F frames.
        values (np.ndarray): Of the frames of the person (F, ...).
    """
    before = person.first_frame
    margins = (before, len(result) - before - len(person))
    return np.pad(values, (margins, *((0, 0),) * (values.ndim - 1)), mode='edge')


def _track(result: MotionResult, person: PersonMotion, body: torch.nn.Module) -> BodyTrack:
    valid = np.zeros(len(result), bool)
    valid[person.frames] = np.isfinite(person.joints_w).all(axis=(1, 2))

    over_all = partial(over_video, result, person)
    camera = result.camera
    options = {}
    if camera is not None:
        K = np.broadcast_to(np.asarray(camera.K, dtype=np.float64), (len(result), 3, 3))
        options = dict(K=K, camera_path=camera.T_w2c, static_camera=camera.static)
    if body is not None:
        options.update(faces=body.faces.numpy().astype(np.int64), mesh=_mesh(person, body))
    return BodyTrack(
        joints_c=over_all(person.joints_c.astype(np.float64)),
        T_w2c=over_all(person.T_w2c),
        valid=valid,
        contacts=None if person.contacts is None else over_all(person.contacts),
        confidence=over_all(person.confidence),
        **options,
    )


def _mesh(person: PersonMotion, body: torch.nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    parameters = [torch.from_numpy(getattr(person, name)).float() for name in _CAMERA_POSE]
    return partial(_vertices, body, parameters, person.first_frame)


@torch.no_grad()
def _vertices(
    body: torch.nn.Module, parameters: list[torch.Tensor], first: int, frames: np.ndarray
) -> np.ndarray:
    """Return vertices in the camera (M, V, 3) of M frames of the video."""
    rows = torch.as_tensor(np.atleast_1d(frames) - first)
    return body(*(parameter[rows] for parameter in parameters)).numpy()
