"""Posing the body: the part that training needs, and the whole mesh."""

from functools import partial
from typing import Optional

import torch
from torch import Tensor, nn

from benchmarks.speed.case import Case, Pair, Settings, close
from gvhmr_da_mm.body_models import SMPLXBody, SMPLXLight
from gvhmr_da_mm.body_models.loading import BodyArrays, body_model_file, load_body_arrays
from gvhmr_da_mm.body_models.regressors import load_regressor
from gvhmr_da_mm.body_models.smplx_full import smplx_fixed_pose
from gvhmr_da_mm.body_models.smplx_light import LightBody
from gvhmr_da_mm.core.layout import NUM_BETAS
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.registry import MODELS


class PlainMesh(nn.Module):
    """All vertices by the textbook: blend shapes, one joint after the other, one matrix a vertex.

    Args:
        arrays (BodyArrays): The model file's arrays.
    """

    def __init__(self, arrays: BodyArrays) -> None:
        super().__init__()
        for name in ('v_template', 'posedirs', 'J_regressor', 'weights'):
            values = torch.from_numpy(getattr(arrays, name)).float()
            self.register_buffer(name, values, persistent=False)
        shapedirs = torch.from_numpy(arrays.shapedirs[:, :, :NUM_BETAS]).float()
        self.register_buffer('shapedirs', shapedirs, persistent=False)
        hands = axis_angle_to_matrix(torch.from_numpy(smplx_fixed_pose(arrays, False)).float())
        self.register_buffer('fixed', hands, persistent=False)
        self.parents = arrays.parents

    def forward(self, body_pose_R: Tensor, betas: Tensor, R: Tensor, transl: Tensor) -> Tensor:
        """Return vertices (N, V, 3) of N frames."""
        frames = len(betas)
        R_local = torch.cat((R[:, None], body_pose_R, self.fixed.expand(frames, -1, -1, -1)), 1)
        shaped = self.v_template + torch.einsum('vck,nk->nvc', self.shapedirs, betas)
        joints = torch.einsum('jv,nvc->njc', self.J_regressor, shaped)
        bends = (R_local[:, 1:] - torch.eye(3).to(R_local)).flatten(1)
        posed = shaped + (bends @ self.posedirs.flatten(0, 1).T).unflatten(1, (-1, 3))
        rotations, positions = [R_local[:, 0]], [joints[:, 0]]
        for joint, parent in enumerate(self.parents[1:], start=1):
            bone = (joints[:, joint] - joints[:, parent])[..., None]
            positions.append(positions[parent] + (rotations[parent] @ bone)[..., 0])
            rotations.append(rotations[parent] @ R_local[:, joint])
        rotation, position = torch.stack(rotations, 1), torch.stack(positions, 1)
        offset = position[..., None] - rotation @ joints[..., None]
        matrices = torch.einsum(
            'vj,njab->nvab', self.weights, torch.cat((rotation, offset), dim=-1)
        )
        turned = (matrices[..., :3] @ posed[..., None])[..., 0]
        return turned + matrices[..., 3] + transl[:, None]


@MODELS.register_module()
class PlainLight(SMPLXLight):
    """The light body's results, taken from the whole mesh."""

    def __init__(self, data_root: Optional[str] = None, **kwargs) -> None:
        super().__init__(data_root, **kwargs)
        path, _ = body_model_file('smplx', 'neutral', data_root)
        arrays = load_body_arrays(path, 'smplx')
        self.mesh = PlainMesh(arrays)
        chosen = load_regressor('verts437', data_root)
        self.register_buffer('chosen', chosen, persistent=False)
        coco, smplx2smpl = (load_regressor(name, data_root) for name in ('coco17', 'smplx2smpl'))
        regressor = torch.sparse.mm(smplx2smpl.t(), coco.t()).t().contiguous()
        self.register_buffer('regressor', regressor, persistent=False)

    def light_matrices(
        self, body_pose_R: Tensor, betas: Tensor, R: Tensor, transl: Tensor
    ) -> LightBody:
        """Pose all vertices, then choose."""
        leading = betas.shape[:-1]
        flat = (body_pose_R.flatten(0, 1), betas.flatten(0, 1), R.flatten(0, 1))
        verts = self.mesh(*flat, transl.flatten(0, 1)).unflatten(0, leading)
        return LightBody(verts[..., self.chosen, :], self.regressor @ verts)

    def coco_matrices(
        self, body_pose_R: Tensor, betas: Tensor, R: Tensor, transl: Tensor
    ) -> Tensor:
        """Pose the light body's vertices, without the sums over them that are made in advance."""
        return super().light_matrices(body_pose_R, betas, R, transl).coco17


def pose(batch: int, frames: int, settings: Settings) -> list[Tensor]:
    """Return random arguments of a body."""
    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> Tensor:
        return torch.randn(batch, frames, *shape, generator=generator)

    arguments = [
        axis_angle_to_matrix(0.3 * noise(21, 3)),
        noise(NUM_BETAS),
        axis_angle_to_matrix(noise(3)),
        noise(3),
    ]
    return [argument.to(settings.device) for argument in arguments]


def light(settings: Settings) -> Pair:
    """Pose what the losses need, 8 clips of 120 frames, with gradients."""
    arguments = [value.requires_grad_() for value in pose(8, 120, settings)]
    bodies = [
        kind(str(settings.data_root)).to(settings.device) for kind in (SMPLXLight, PlainLight)
    ]

    def run(body: SMPLXLight) -> tuple[Tensor, ...]:
        verts, joints = body.light_matrices(*arguments)
        loss = verts.square().mean() + joints.square().mean()
        return (verts.detach(), joints.detach(), *torch.autograd.grad(loss, arguments))

    return Pair(*(partial(run, body) for body in bodies), close(1e-3))


def full(settings: Settings) -> Pair:
    """Pose the whole mesh of 240 frames."""
    arguments = [value[0] for value in pose(1, 240, settings)]
    ours = SMPLXBody(str(settings.data_root)).to(settings.device)
    path, _ = body_model_file('smplx', 'neutral', settings.data_root)
    plain = PlainMesh(load_body_arrays(path, 'smplx')).to(settings.device)
    return Pair(
        torch.no_grad()(partial(ours.pose_vertices, *arguments, chunk_size=ours.chunk_size)),
        torch.no_grad()(partial(plain, *arguments)),
        close(1e-3),
    )


def cases() -> list[Case]:
    """Return the cases of this family."""
    return [Case('body_light', light), Case('body_full', full)]
