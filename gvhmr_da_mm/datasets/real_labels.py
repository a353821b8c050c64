"""Reading the 3D labels of real clips: for evaluation, and for training only when asked to.

Every function that opens a label is here, so that none is called for unlabelled clips.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..body_models import get_body_model
from ..core.camera import transform_smpl
from ..core.conventions import GRAVITY_Y_UP
from ..core.gravity_view import gravity_view_rotation
from ..core.layout import NUM_JOINTS
from .pack_io import PackRecord
from .smpl_to_smplx import fit_neutral_betas, smpl_to_smplx


def read_smpl(record: PackRecord, start: int, end: int) -> dict[str, Tensor]:
    """Read gendered SMPL parameters in the dataset's world, frames [start, end)."""
    params = record.nested('smpl_params')
    shapes = dict(body_pose='F 69', betas='F 10', global_orient='F 3', transl='F 3')
    return {key: params.rows(key, shape, start, end) for key, shape in shapes.items()}


def read_gender(record: PackRecord) -> str:
    """Return ``male``, ``female`` or ``neutral``."""
    gender = record.value('gender', str)
    if gender not in ('male', 'female', 'neutral'):
        raise record.error('gender', "'male', 'female' or 'neutral'", repr(gender))
    return gender


def evaluation_labels(
    record: PackRecord, start: int, end: int, mask: Tensor, data_root: Path, with_joints: bool
) -> dict[str, Any]:
    """Read what the metrics compare with.

    Args:
        record (PackRecord): Sequence with ``smpl_params``, ``gender`` and ``T_w2c``.
        start (int): First frame.
        end (int): One past the last frame.
        mask (Tensor): Frames that count (F,), bool.
        data_root (Path): Where the SMPL models are.
        with_joints (bool): Whether to add the camera-space joints MMPose's metrics read.

    Returns:
        dict: SMPL parameters, ``T_w2c`` (F, 4, 4), ``K_fullimg`` (F, 3, 3), ``mask`` (F,); and
        ``lifting_target`` (F, 22, 3) in m, ``lifting_target_visible`` (F, 22), numpy float32.
    """
    params = read_smpl(record, start, end)
    T_w2c = record.rows('T_w2c', 'F 4 4', start, end)
    # The true camera, for drawing the truth: the network may be given an estimated one.
    K = record.matrix('K_fullimg', '3 3').expand(len(mask), 3, 3)
    labels: dict[str, Any] = dict(**params, T_w2c=T_w2c, K_fullimg=K, mask=mask)
    if with_joints:
        smpl = get_body_model('smpl', read_gender(record), data_root=data_root)
        joints_w = smpl.fk(**params)[:, :NUM_JOINTS]
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
    fitted = fit_neutral_betas(skeleton, smplx)
    return fitted, skeleton[0], smplx.skeleton(fitted)[0]


def converted_training_labels(
    record: PackRecord, start: int, end: int, data_root: Path
) -> dict[str, Tensor]:
    """Read SMPL labels of a y-up world as the neutral SMPL-X labels of training.

    See :mod:`.smpl_to_smplx` for what the conversion loses.
    """
    smpl_params = read_smpl(record, start, end)
    # The shape is the person's: the first frame stands for all.
    shape = tuple(smpl_params['betas'][0].tolist())
    betas, root_smpl, root = _neutral_shape(read_gender(record), shape, data_root)
    params_w = smpl_to_smplx(smpl_params, betas, root_smpl, root)
    T_w2c = record.rows('T_w2c', 'F 4 4', start, end)
    orient_c, transl_c = transform_smpl(params_w['global_orient'], params_w['transl'], T_w2c, root)
    return dict(
        body_pose=params_w['body_pose'],
        betas=params_w['betas'],
        global_orient_c=orient_c,
        transl_c=transl_c,
        global_orient_w=params_w['global_orient'],
        transl_w=params_w['transl'],
        R_c2gv=gravity_view_rotation(T_w2c[:, :3, :3], GRAVITY_Y_UP),
    )


def camera_training_labels(record: PackRecord, start: int, end: int) -> dict[str, Tensor]:
    """Read SMPL-X labels that are known in the camera alone (``supervision='camera'``).

    The world fields are there because a batch needs them, and hold the camera's values: losses in
    the world must leave these samples out.
    """
    params = record.nested('smplx_params_incam')
    orient_c = params.rows('global_orient', 'F 3', start, end)
    transl_c = params.rows('transl', 'F 3', start, end)
    return dict(
        body_pose=params.rows('body_pose', 'F 63', start, end),
        betas=params.rows('betas', 'F 10', start, end),
        global_orient_c=orient_c,
        transl_c=transl_c,
        global_orient_w=orient_c.clone(),
        transl_w=transl_c.clone(),
        R_c2gv=torch.eye(3).repeat(end - start, 1, 1),
    )
