"""Foot contact: put a motion on the floor and remove sliding, for any body shape."""

import torch
import torch.nn.functional as F
from torch import Tensor

from gvhmr_da_mm.core.conventions import FPS
from gvhmr_da_mm.core.filtering import gaussian_smooth
from gvhmr_da_mm.core.rotation import matrix_to_axis_angle

from ..body.posed_body import PosedBody
from .clip import MotionClip

FLOOR_QUANTILE = 0.1
"""Quantile over the frames of the lowest point's height, which is the floor."""
SETTLE_SIGMA = 4.0
"""Sigma in frames of the Gaussian that smooths the lowering of a floating body."""
PUSH_WINDOW = 9
"""Frames over which a body that sank into the floor is lifted."""
CONTACT_HEIGHT = 0.05
"""Height (m) above which no point touches the floor."""
CONTACT_SOFTNESS = 0.008
"""Height (m) above the lowest point at which the weight of a contact falls to 1 / e."""
SLIDING_SPEED = 1.0
"""Speed (m/s) at which the weight of a contact falls to 1 / e."""


def posed_vertices(clip: MotionClip, body: PosedBody, betas: Tensor) -> Tensor:
    """Return the body's vertices (F, N, 3) for a clip."""
    pose, root = matrix_to_axis_angle(clip.rotations), body.skeleton(betas)[0]
    _, vertices = body(pose[:, 1:].flatten(1), betas, pose[:, 0], clip.pelvis - root)
    return vertices


def put_on_floor(
    clip: MotionClip, body: PosedBody, betas: Tensor, leaps: bool = True
) -> MotionClip:
    """Shift a clip so that it stands on y = 0, and lift the frames that sink below.

    Args:
        clip (MotionClip): F frames.
        body (PosedBody): Body with the vertices that may touch the floor.
        betas (Tensor): Shape (10,).
        leaps (bool): Whether the motion leaves the floor; then all frames have the same shift.
            Otherwise floating frames are lowered too. Defaults to True.
    """
    lowest = posed_vertices(clip, body, betas)[..., 1].amin(-1)
    if leaps:
        floor = torch.quantile(lowest, FLOOR_QUANTILE).expand_as(lowest)
    else:
        floor = gaussian_smooth(lowest, SETTLE_SIGMA, dim=0)
    lowest = lowest - floor
    half = PUSH_WINDOW // 2
    deepest = F.max_pool1d(
        F.pad((-lowest).clamp(min=0)[None, None], (half, half), mode='replicate'), PUSH_WINDOW, 1
    )[0, 0]
    lift = gaussian_smooth(deepest, 0.3 * half, dim=0)
    up = torch.tensor([0.0, 1.0, 0.0])
    return clip.move((lift - floor)[:, None] * up)


def stop_skating(clip: MotionClip, body: PosedBody, betas: Tensor) -> MotionClip:
    """Move the root so that points on the floor do not slide; leaps are unchanged.

    Args:
        clip (MotionClip): F frames on the floor y = 0.
        body (PosedBody): Body with the vertices that may touch the floor.
        betas (Tensor): Shape (10,).
    """
    if len(clip) < 2:
        return clip
    vertices = posed_vertices(clip, body, betas)
    height = torch.maximum(vertices[1:, :, 1], vertices[:-1, :, 1])
    velocity = vertices.diff(dim=0)[..., [0, 2]]
    above = height - height.amin(-1, keepdim=True)
    speed = velocity.norm(dim=-1) * FPS
    weight = torch.exp(-above / CONTACT_SOFTNESS - (speed / SLIDING_SPEED) ** 2)
    weight = weight * (height.amin(-1, keepdim=True) < CONTACT_HEIGHT)
    slide = (weight[..., None] * velocity).sum(1) / weight.sum(1, keepdim=True).clamp(min=1e-3)
    removed = F.pad(gaussian_smooth(slide, 0.7, dim=0).cumsum(0), (0, 0, 1, 0))
    offset = torch.stack((-removed[:, 0], torch.zeros(len(clip)), -removed[:, 1]), dim=-1)
    return clip.move(offset)
