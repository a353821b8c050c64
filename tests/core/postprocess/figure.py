"""A walking stick figure in the world and in a camera."""

from typing import NamedTuple

import torch

from gvhmr_da_mm.core.conventions import PARENTS_22
from gvhmr_da_mm.core.kinematics import forward_kinematics
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix


class Figure(NamedTuple):
    """A batch of motions: B clips, L frames."""

    body_pose_R: torch.Tensor
    R_w: torch.Tensor
    transl_w: torch.Tensor
    skeleton: torch.Tensor
    static_logits: torch.Tensor

    @property
    def joints_w(self):
        return pose(*self[:4])


def pose(body_pose_R, R_w, transl_w, skeleton):
    """Return the joints (B, L, 22, 3)."""
    R_local = torch.cat((R_w[:, :, None], body_pose_R), dim=2)
    return forward_kinematics(R_local, skeleton, PARENTS_22)[1] + transl_w[:, :, None]


def make_figure(batch=1, length=40, moving=True, seed=0):
    """Return still figures, or random smooth motion."""
    rng = torch.Generator().manual_seed(seed)

    def noise(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float64)

    time = torch.arange(length, dtype=torch.float64)[:, None] if moving else torch.zeros(1, 1)
    time = time.expand(length, 1)
    wave = torch.sin(0.2 * time[..., None] + noise(batch, 1, 63)[:, :, None])[..., 0, :]
    angles = 0.3 * noise(batch, 1, 63) + 0.3 * wave
    turn = 0.02 * time * noise(batch, 1, 3) + noise(batch, 1, 3)
    steps = 0.03 * noise(batch, length, 3) * (1 if moving else 0)
    skeleton = 0.3 * noise(batch, 1, 22, 3).expand(batch, length, 22, 3)
    return Figure(
        axis_angle_to_matrix(angles.unflatten(-1, (21, 3))),
        axis_angle_to_matrix(turn),
        steps.cumsum(dim=1) + noise(batch, 1, 3),
        skeleton,
        3 * noise(batch, length, 6),
    )
