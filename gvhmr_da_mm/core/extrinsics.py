"""Camera extrinsics and other rigid transforms.

Note:
    Shape letters: F frames. The world has y up; a camera is a rigid ``T_w2c`` (F, 4, 4) with x
    right, y down, z forward.
"""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from .rotation import rotation_about_axis

AXES = ('+x', '-x', '+y', '-y', '+z', '-z')
"""Names of the axes of a world, one of which is up."""


def look_at(position: Tensor, target: Tensor, roll: Optional[Tensor] = None) -> Tensor:
    """Point cameras at targets.

    Args:
        position (Tensor): Camera centres (F, 3).
        target (Tensor): Points (F, 3) in the middle of the image.
        roll (Tensor, optional): Rotation (F,) about the optical axis, radians. Defaults to none.

    Returns:
        Tensor: ``T_w2c`` (F, 4, 4).
    """
    forward = F.normalize(target - position, dim=-1)
    up = torch.tensor([0.0, 1.0, 0.0]).expand_as(forward)
    right = F.normalize(torch.cross(forward, up, dim=-1), dim=-1)
    down = torch.cross(forward, right, dim=-1)
    rotation = torch.stack((right, down, forward), dim=-2)
    if roll is not None:
        rotation = rotation_about_axis('z', roll) @ rotation
    return rigid_transform(rotation, -(rotation @ position[..., None])[..., 0])


def rigid_transform(rotation: Tensor, translation: Tensor) -> Tensor:
    """Assemble (..., 4, 4) from a rotation (..., 3, 3) and a translation (..., 3)."""
    top = torch.cat((rotation, translation[..., None]), dim=-1)
    bottom = top.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(*top.shape[:-2], 1, 4)
    return torch.cat((top, bottom), dim=-2)


def invert_rigid(transform: Tensor) -> Tensor:
    """Invert rigid transforms (..., 4, 4)."""
    rotation = transform[..., :3, :3].transpose(-1, -2)
    return rigid_transform(rotation, -(rotation @ transform[..., :3, 3:])[..., 0])


def rotation_to_y_up(axis: str) -> Tensor:
    """Return the rotation (3, 3) that turns an axis of :data:`AXES` to +y."""
    return {
        '+x': torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]),
        '-x': torch.tensor([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
        '+y': torch.eye(3),
        '-y': torch.tensor([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]]),
        '+z': torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
        '-z': torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    }[axis]
