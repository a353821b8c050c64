"""Skinning of chosen vertices of a stand-in body, for the simulated observations."""

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.rotation import axis_angle_to_matrix

from .stand_in_body import ModelArrays


class PosedBody:
    """Body model of one gender with some of its vertices.

    Note:
        Shape letters: F frames, J joints of the model, N chosen vertices.

    Args:
        model (ModelArrays): Model before gender.
        gender (str): ``'neutral'``, ``'male'`` or ``'female'``.
        vertex_ids (ndarray): Vertices (N,) to skin.
    """

    def __init__(self, model: ModelArrays, gender: str, vertex_ids: np.ndarray) -> None:
        template, shapedirs = model.gendered(gender)
        regress = model.regressor
        self.parents = model.parents
        self.joint_template = _tensor(regress @ template)
        flat = shapedirs.reshape(len(template), -1)
        self.joint_shape = _tensor((regress @ flat).reshape(-1, 3, shapedirs.shape[-1]))
        self.template = _tensor(template[vertex_ids])
        self.shapedirs = _tensor(shapedirs[vertex_ids])
        self.weights = _tensor(model.weights[vertex_ids])
        zero_pose_shapes = model.posedirs.ndim < 3
        self.posedirs = None if zero_pose_shapes else _tensor(model.posedirs[vertex_ids])
        hands = [model.extra.get(f'hands_mean{side}') for side in 'lr']
        self.hand_pose = None if hands[0] is None else _tensor(np.concatenate(hands))

    def skeleton(self, betas: Tensor) -> Tensor:
        """Return rest joints (J, 3) for betas (10,)."""
        return self.joint_template + self.joint_shape @ betas

    def __call__(
        self, body_pose: Tensor, betas: Tensor, global_orient: Tensor, transl: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Pose the body.

        Args:
            body_pose (Tensor): Axis-angle (F, 63) for SMPL-X, (F, 69) for SMPL.
            betas (Tensor): Shape (10,) of one person.
            global_orient (Tensor): Axis-angle (F, 3).
            transl (Tensor): Metres (F, 3).

        Returns:
            tuple[Tensor, Tensor]: Joints (F, J, 3) and vertices (F, N, 3).
        """
        frames, count = len(body_pose), len(self.parents)
        pose = torch.cat((global_orient, body_pose), dim=-1)
        if self.hand_pose is not None:
            face = pose.new_zeros(frames, 9)
            pose = torch.cat((pose, face, self.hand_pose.expand(frames, -1)), dim=-1)
        local = axis_angle_to_matrix(pose.view(frames, count, 3))
        rest = self.skeleton(betas)
        rotations, joints = [local[:, 0]], [rest[0].expand(frames, 3)]
        for joint in range(1, count):
            parent = self.parents[joint]
            rotations.append(rotations[parent] @ local[:, joint])
            joints.append(joints[parent] + rotations[parent] @ (rest[joint] - rest[parent]))
        rotation, posed = torch.stack(rotations, 1), torch.stack(joints, 1)
        shaped = self.template + self.shapedirs @ betas
        if self.posedirs is not None:
            bend = (local[:, 1:] - torch.eye(3)).flatten(1)
            shaped = shaped + torch.einsum('nck,fk->fnc', self.posedirs, bend)
        else:
            shaped = shaped.expand(frames, -1, -1)
        shift = posed - (rotation @ rest[..., None])[..., 0]
        blended = torch.einsum('nj,fjab->fnab', self.weights, rotation)
        vertices = (blended @ shaped[..., None])[..., 0] + torch.einsum(
            'nj,fjc->fnc', self.weights, shift
        )
        return posed + transl[:, None], vertices + transl[:, None]


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).float()
