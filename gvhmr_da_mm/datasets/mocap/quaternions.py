"""Fast operations on unit quaternions (..., 4), as x, y, z, w.

They replace those of roma, whose checks and special cases take most of the time of a worker.
"""

import math

import torch
from torch import Tensor

TINY = 1e-12
NEARLY_SAME = 1e-4
"""Sine of the angle below which linear interpolation is accurate enough."""


def from_axis_angle(axis_angle: Tensor) -> Tensor:
    """Convert axis-angle vectors (..., 3) in radians."""
    angle = axis_angle.norm(dim=-1, keepdim=True)
    return torch.cat((axis_angle * (torch.sinc(angle / (2 * math.pi)) / 2), (angle / 2).cos()), -1)


def to_axis_angle(quaternion: Tensor) -> Tensor:
    """Convert to axis-angle vectors (..., 3) of angle in [0, pi]."""
    vector, cosine = quaternion[..., :3], quaternion[..., 3:]
    sine = vector.norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(sine, cosine.abs())
    factor = torch.where(sine > TINY, angle / sine.clamp(min=TINY), 2.0)
    return vector * torch.where(cosine < 0, -factor, factor)


def to_matrix(quaternion: Tensor) -> Tensor:
    """Convert to matrices (..., 3, 3)."""
    x, y, z, w = quaternion.unbind(dim=-1)
    x2, y2, z2 = 2 * x, 2 * y, 2 * z
    xx, yy, zz, wx, wy, wz = x * x2, y * y2, z * z2, w * x2, w * y2, w * z2
    xy, xz, yz = x * y2, x * z2, y * z2
    rows = (1 - yy - zz, xy - wz, xz + wy, xy + wz, 1 - xx - zz, yz - wx, xz - wy, yz + wx,
            1 - xx - yy)  # fmt: skip
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def left_product(first: Tensor, second: Tensor) -> Tensor:
    """Return the products of one quaternion (4,) with others (..., 4): these first, then it."""
    x, y, z, w = first.tolist()
    matrix = second.new_tensor([[w, -z, y, x], [z, w, -x, y], [-y, x, w, z], [-x, -y, -z, w]])
    return second @ matrix.T


def slerp(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Interpolate along the shortest arc; ``share`` (..., 1) is that of the second."""
    cosine = (first * second).sum(dim=-1, keepdim=True)
    second = torch.where(cosine < 0, -second, second)
    angle = cosine.abs().clamp(max=1.0).acos()
    sine = angle.sin()
    near = sine < NEARLY_SAME
    sine = torch.where(near, 1.0, sine)
    weight_1 = torch.where(near, 1 - share, ((1 - share) * angle).sin() / sine)
    weight_2 = torch.where(near, share, (share * angle).sin() / sine)
    return torch.nn.functional.normalize(weight_1 * first + weight_2 * second, dim=-1)
