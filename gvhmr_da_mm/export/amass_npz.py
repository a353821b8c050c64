"""Export of SMPL-X or SMPL parameters under the field names of AMASS."""

from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch

from ..body_models import get_body_model
from ..body_models.skeleton_fit import fit_skeleton
from ..core.checks import check_choice
from ..core.conventions import FPS
from ..fileio.atomic_file import open_atomically
from ..structures import PersonMotion
from .person_parameters import person_parameters

PathLike = Union[str, Path]
NUM_SMPLX_JOINTS = 55
"""Body, jaw, eyes and hands."""
NUM_SMPL_JOINTS = 24
BODIES = dict(smplx=NUM_SMPLX_JOINTS, smpl=NUM_SMPL_JOINTS)
AMASS_UP = '+z'


def write_amass_npz(
    path: PathLike,
    person: PersonMotion,
    space: str = 'world',
    up: Optional[str] = None,
    body: str = 'smplx',
    fps: float = FPS,
    data_root: Optional[PathLike] = None,
) -> Path:
    """Write ``poses``, ``root_orient``, ``pose_body``, ``trans``, ``betas`` and metadata.

    Hands and face are not recovered and stay at rest. ``first_frame``, ``seen`` and ``confidence``
    are not of AMASS: the first frame in the video, the frames in which the person was detected, and
    the confidence of each.

    Args:
        path (str | Path): The npz file; its folder is created.
        person (PersonMotion): The person, F frames.
        space (str): 'world' or 'camera'. Defaults to 'world'.
        up (str, optional): Up axis of the world. Defaults to None: '+z', as in AMASS.
        body (str): 'smplx' (``poses`` (F, 165)), or 'smpl' (``poses`` (F, 72)), fitted to the
            joints, see :func:`~gvhmr_da_mm.body_models.skeleton_fit.fit_skeleton`. Defaults to
            'smplx'.
        fps (float): Frames per second. Defaults to 30.
        data_root (str | Path, optional): Data root of the body models, for 'smpl'.

    Returns:
        Path: The file.

    Raises:
        ConfigError: If an option is unknown, or the camera is to be turned.
        DataError: If the motion in the camera is unknown.
        MissingFilesError: If a body model is missing.
    """
    check_choice(body, BODIES, 'body')
    up = up or ('+y' if space == 'camera' else AMASS_UP)
    parameters = person_parameters(person, space, up)
    if body == 'smpl':
        parameters = _as_smpl(parameters, data_root)
    orient, pose_body = parameters['global_orient'], parameters['body_pose']
    poses = np.concatenate((orient, pose_body), axis=1)
    rest = np.zeros((len(person), 3 * BODIES[body] - poses.shape[1]), np.float32)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomically(path) as file:
        np.savez_compressed(
            file,
            gender='neutral',
            surface_model_type=body,
            mocap_frame_rate=np.float64(fps),
            mocap_time_length=np.float64(len(person) / fps),
            trans=parameters['transl'],
            root_orient=orient,
            pose_body=pose_body,
            poses=np.concatenate((poses, rest), axis=1),
            betas=parameters['betas'].astype(np.float64),
            num_betas=len(parameters['betas']),
            first_frame=person.first_frame,
            seen=person.seen,
            confidence=person.confidence,
        )
    return path


@torch.no_grad()
def _as_smpl(
    parameters: dict[str, np.ndarray], data_root: Optional[PathLike]
) -> dict[str, np.ndarray]:
    """Convert to neutral SMPL; its two hand joints stay at rest."""
    smplx, smpl = (get_body_model(kind, data_root=data_root) for kind in ('smplx', 'smpl'))
    values = {name: torch.from_numpy(value) for name, value in parameters.items()}
    skeleton = smplx.skeleton(values['betas'])
    fit = fit_skeleton(skeleton, values['body_pose'], smpl)
    converted = dict(fit.convert(values, skeleton[0]), betas=fit.betas.float())
    return {name: value.numpy() for name, value in converted.items()}
