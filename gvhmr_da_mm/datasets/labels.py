"""Reading of the 3D labels of clips, for evaluation and for supervised training.

All functions that open labels are in this file, so that it is easy to check that unlabelled clips
call none of them.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, Optional

import torch
from torch import Tensor

from ..body_models import get_body_model
from ..body_models.body_conversion import fit_betas, smpl_to_smplx
from ..core.camera import transform_smpl
from ..core.conventions import GRAVITY_Y_UP
from ..core.gravity_view import gravity_view_rotation
from ..core.layout import NUM_JOINTS
from .sources import SequenceReader

PARAMETERS = ('body_pose', 'betas', 'global_orient', 'transl')
_BODIES = dict(smpl_params='smpl', smplx_params='smplx_light')
"""Body model of each group of parameters in the world."""


def read_parameters(
    reader: SequenceReader,
    group: str,
    start: int,
    end: int,
    needed: Optional[Tensor] = None,
) -> dict[str, Tensor]:
    """Read the parameters of a body model, frames [start, end).

    Args:
        reader (SequenceReader): The sequence.
        group (str): ``smpl_params``, ``smplx_params`` or ``smplx_params_incam``.
        start (int): First frame.
        end (int): One past the last frame.
        needed (Tensor, optional): As for :meth:`.SequenceReader.values`. Defaults to None.

    Returns:
        dict[str, Tensor]: ``body_pose`` (L, 69) or (L, 63), ``betas`` (L, 10), ``global_orient``
        and ``transl`` (L, 3), in radians and metres.
    """
    return {key: reader.rows(f'{group}.{key}', start, end, needed) for key in PARAMETERS}


def evaluation_labels(
    reader: SequenceReader, start: int, end: int, mask: Tensor, data_root: Path, with_joints: bool
) -> dict[str, Any]:
    """Read the labels of a test item.

    Note:
        L: ``end - start``.

    Args:
        reader (SequenceReader): Sequence with ``T_w2c`` and with ``smpl_params`` or
            ``smplx_params`` of its gender.
        start (int): First frame.
        end (int): One past the last frame.
        mask (Tensor): Frames that evaluation uses (L,), bool; parameters of others may be NaN.
        data_root (Path): Data root, with the body models.
        with_joints (bool): Whether to add the camera-space joints MMPose's metrics read.

    Returns:
        dict: Body parameters, ``T_w2c`` (L, 4, 4), ``K_fullimg`` (L, 3, 3), ``mask`` (L,); and
        ``lifting_target`` (L, 22, 3) in m, ``lifting_target_visible`` (L, 22), numpy float32.
    """
    group = next(name for name in _BODIES if reader.has(f'{name}.transl'))
    params = read_parameters(reader, group, start, end, mask)
    T_w2c = reader.rows('T_w2c', start, end)
    # The true intrinsics, to draw the labels: the input of the network may be an estimate.
    K = reader.rows('K_fullimg', start, end)
    labels: dict[str, Any] = dict(**params, T_w2c=T_w2c, K_fullimg=K, mask=mask)
    if with_joints:
        body = get_body_model(_BODIES[group], reader.gender, data_root=data_root)
        # MMPose's metrics align all frames, and those that are not visible too.
        finite = {name: value.nan_to_num(0.0, 0.0, 0.0) for name, value in params.items()}
        joints_w = body.fk(**finite)[:, :NUM_JOINTS]
        joints_c = joints_w @ T_w2c[:, :3, :3].mT + T_w2c[:, None, :3, 3]
        visible = mask[:, None].expand(-1, NUM_JOINTS)
        labels['lifting_target'] = joints_c.numpy()
        labels['lifting_target_visible'] = visible.float().numpy()
    return labels


@lru_cache(maxsize=512)
def _neutral_shape(
    gender: str, betas: tuple[float, ...], data_root: Path
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the SMPL-X betas of a SMPL shape, and both rest root joints."""
    smplx = get_body_model('smplx_light', 'neutral', data_root=data_root)
    skeleton = get_body_model('smpl', gender, data_root=data_root).skeleton(torch.tensor(betas))
    fitted = fit_betas(skeleton, smplx)
    return fitted, skeleton[0], smplx.skeleton(fitted)[0]


def converted_training_labels(
    reader: SequenceReader, start: int, end: int, data_root: Path
) -> dict[str, Tensor]:
    """Read SMPL labels of a y-up world as the neutral SMPL-X labels of training.

    See :mod:`~gvhmr_da_mm.body_models.body_conversion` for the errors of the conversion.
    """
    smpl_params = read_parameters(reader, 'smpl_params', start, end)
    # The shape is constant: that of the first frame is used.
    shape = tuple(smpl_params['betas'][0].tolist())
    betas, root_smpl, root = _neutral_shape(reader.gender, shape, data_root)
    params_w = smpl_to_smplx(smpl_params, betas, root_smpl, root)
    T_w2c = reader.rows('T_w2c', start, end)
    orient_c, transl_c = transform_smpl(params_w['global_orient'], params_w['transl'], T_w2c, root)
    params_c = dict(global_orient=orient_c, transl=transl_c)
    R_c2gv = gravity_view_rotation(T_w2c[:, :3, :3], GRAVITY_Y_UP)
    return _training_labels(params_w, params_c, R_c2gv)


def camera_training_labels(reader: SequenceReader, start: int, end: int) -> dict[str, Tensor]:
    """Read SMPL-X labels that are known in the camera alone (``supervision='camera'``).

    The fields of the world hold the camera's values, as all samples of a batch need the same
    fields: losses in the world must leave these samples out.
    """
    params = read_parameters(reader, 'smplx_params_incam', start, end)
    world = {key: value.clone() for key, value in params.items()}
    return _training_labels(world, params, torch.eye(3).repeat(end - start, 1, 1))


def world_training_labels(reader: SequenceReader, start: int, end: int) -> dict[str, Tensor]:
    """Read neutral SMPL-X labels of a y-up world and of the camera (full supervision).

    Note:
        L: ``end - start``.

    Returns:
        dict[str, Tensor]: ``body_pose`` (L, 63), ``betas`` (L, 10), ``global_orient_c``,
        ``transl_c``, ``global_orient_w``, ``transl_w`` (L, 3), ``R_c2gv`` (L, 3, 3).
    """
    params_w = read_parameters(reader, 'smplx_params', start, end)
    params_c = {
        key: reader.rows(f'smplx_params_incam.{key}', start, end)
        for key in ('global_orient', 'transl')
    }
    R_c2gv = gravity_view_rotation(reader.rows('T_w2c', start, end)[:, :3, :3], GRAVITY_Y_UP)
    return _training_labels(params_w, params_c, R_c2gv)


def _training_labels(
    params_w: dict[str, Tensor], params_c: dict[str, Tensor], R_c2gv: Tensor
) -> dict[str, Tensor]:
    return dict(
        body_pose=params_w['body_pose'],
        betas=params_w['betas'],
        global_orient_c=params_c['global_orient'],
        transl_c=params_c['transl'],
        global_orient_w=params_w['global_orient'],
        transl_w=params_w['transl'],
        R_c2gv=R_c2gv,
    )
