"""Stored motions in a y-up world and the camera, in their own body model or in SMPL-X."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from ...body_models import get_body_model
from ...body_models.skeleton_fit import fit_skeleton
from ...core.camera import transform_smpl
from ...core.extrinsics import rigid_transform, rotation_to_y_up
from .stored_motion import StoredMotion

PathLike = Union[str, Path]


@dataclass(frozen=True)
class PosedMotion:
    """Parameters of one person, float32.

    Note:
        F frames, those of the stored motion.

    Attributes:
        body_pose (Tensor): Axis-angle (F, 63) of SMPL-X, or (F, 69) of SMPL, rad.
        betas (Tensor): Shape (F, 10).
        camera (tuple[Tensor, Tensor], optional): Root orientation and translation (F, 3) in the
            camera.
        world (tuple[Tensor, Tensor], optional): The same in the world, y up.
    """

    body_pose: Tensor
    betas: Tensor
    camera: Optional[tuple[Tensor, Tensor]] = None
    world: Optional[tuple[Tensor, Tensor]] = None

    def fields(self) -> dict[str, Tensor]:
        """Return the parameters by their names in ``pred_instances``."""
        named = dict(body_pose=self.body_pose, betas=self.betas)
        for suffix, placement in dict(c=self.camera, w=self.world).items():
            if placement is not None:
                named[f'global_orient_{suffix}'], named[f'transl_{suffix}'] = placement
        return named


@torch.no_grad()
def pose_motion(
    motion: StoredMotion, data_root: Optional[PathLike] = None, to_smplx: bool = True
) -> PosedMotion:
    """Place a motion, and convert it to neutral SMPL-X by its joints.

    Args:
        motion (StoredMotion): The motion, F frames.
        data_root (str | Path, optional): Data root of the body models. Defaults to None: the
            environment's.
        to_smplx (bool): Whether neutral SMPL is converted too; other genders and skeletons always
            are. Defaults to True.

    Raises:
        MissingFilesError: If a body model is missing.
    """
    smplx = get_body_model('smplx', data_root=data_root)
    betas = torch.from_numpy(motion.betas).float()
    if motion.rest_joints is None:
        body = get_body_model(motion.body, motion.gender, data_root=data_root)
        skeletons = body.skeleton(betas)
    else:
        skeletons = torch.from_numpy(motion.rest_joints).float().expand(len(motion), -1, -1)
    posed = _place(motion, betas, skeletons[:, 0].double())
    own_model = motion.gender == 'neutral' and motion.rest_joints is None
    if own_model and (motion.body == 'smplx' or not to_smplx):
        return posed
    fit = fit_skeleton(skeletons.mean(dim=0), posed.body_pose, smplx)
    placements = {}
    for name in ('camera', 'world'):
        if getattr(posed, name) is not None:
            orient, transl = getattr(posed, name)
            params = dict(body_pose=posed.body_pose, global_orient=orient, transl=transl)
            converted = fit.convert(params, skeletons[:, 0])
            placements[name] = converted['global_orient'], converted['transl']
    return replace(posed, body_pose=converted['body_pose'], betas=converted['betas'], **placements)


def _place(motion: StoredMotion, betas: Tensor, root: Tensor) -> PosedMotion:
    """Return the roots in the camera and in a y-up world; ``root`` is the rest joint (F, 3)."""
    camera, world = (
        None if placement is None else tuple(torch.from_numpy(x).double() for x in placement)
        for placement in (motion.camera, motion.world)
    )
    if world is None and camera is not None and motion.T_c2w is not None:
        world = transform_smpl(*camera, torch.from_numpy(motion.T_c2w).double(), root)
    if world is not None and motion.up != '+y':
        turn = rotation_to_y_up(motion.up).double()
        world = transform_smpl(*world, rigid_transform(turn, turn.new_zeros(3)), root)
    placements = [p if p is None else tuple(x.float() for x in p) for p in (camera, world)]
    pose = torch.from_numpy(np.asarray(motion.body_pose)).float()
    return PosedMotion(pose, betas, *placements)
