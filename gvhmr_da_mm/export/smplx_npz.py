"""Export of SMPL-X parameters under the field names of AMASS."""

from pathlib import Path
from typing import Union

import numpy as np
import torch
from torch import Tensor

from ..core.camera import transform_smpl
from ..core.checks import check_choice
from ..core.conventions import FPS
from ..core.errors import DataError
from ..core.extrinsics import rigid_transform
from ..core.layout import NUM_BODY_JOINTS
from ..structures import MotionDump
from .skeleton_motion import SPACE_SUFFIXES, body_pose_of, mean_betas, rotation_to_space

NUM_SMPLX_JOINTS = 55
"""Body, jaw, eyes and hands."""


def write_smplx_npz(path: Union[str, Path], dump: MotionDump, space: str = 'world') -> Path:
    """Write ``poses``, ``root_orient``, ``pose_body``, ``trans``, ``betas`` and metadata.

    The world is y up, unlike that of AMASS. Hands and face are not predicted and stay at rest.

    Args:
        path (str | Path): The npz file; its folder is created.
        dump (MotionDump): A predicted sequence, F frames.
        space (str): 'world' (y up), 'camera', or 'given', see :func:`rotation_to_space`. Defaults
            to 'world'.

    Returns:
        Path: The file.

    Raises:
        ConfigError: If the space is unknown.
        DataError: If a field is missing.
    """
    check_choice(space, SPACE_SUFFIXES, 'space')
    names = [f'{name}_{SPACE_SUFFIXES[space]}' for name in ('global_orient', 'transl')]
    instances = dump.sample.pred_instances
    missing = [name for name in ('body_pose', 'betas', *names) if name not in instances]
    if missing:
        raise DataError(f'{dump.path} should have {missing} in `pred_instances`')
    orient, transl = (torch.as_tensor(instances[name]) for name in names)
    if space == 'given':
        orient, transl = _turned(orient, transl, dump)
    orient, transl = orient.numpy(), transl.numpy()
    pose_body = torch.as_tensor(body_pose_of(dump, space)).numpy()
    rest = np.zeros((len(dump), 3 * (NUM_SMPLX_JOINTS - NUM_BODY_JOINTS - 1)), pose_body.dtype)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    betas = mean_betas(dump)
    with path.open('wb') as file:
        np.savez_compressed(
            file,
            gender='neutral',
            surface_model_type='smplx',
            mocap_frame_rate=np.float64(FPS),
            mocap_time_length=np.float64(len(dump) / FPS),
            trans=transl,
            root_orient=orient,
            pose_body=pose_body,
            poses=np.concatenate((orient, pose_body, rest), axis=1),
            betas=betas,
            num_betas=len(betas),
        )
    return path


def _turned(orient: Tensor, transl: Tensor, dump: MotionDump) -> tuple[Tensor, Tensor]:
    """Turn orientations and translations (F, 3) of the world to the axes of the given one."""
    turn = rigid_transform(rotation_to_space(dump, 'given').float(), torch.zeros(3))
    instances = dump.sample.pred_instances
    # SMPL-X turns about its root joint.
    offset = torch.as_tensor(instances['keypoints'])[:, 0] - instances['transl_c']
    return transform_smpl(orient, transl, turn, offset)
