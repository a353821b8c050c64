"""Rotations as matrices, axis-angle vectors, quaternions and the 6D form.

Matrices act on column vectors, quaternions are real-first, and the 6D form is the first two *rows*
of the matrix (Zhou et al., CVPR 2019).

Note:
    Every function accepts any leading batch shape ``...`` in float32 or float64 and is
    differentiable.
"""

from typing import Optional

import roma
import torch
import torch.nn.functional as F
from torch import Tensor

from .checks import check_choice
from .constants import constant
from .small_matrices import small_matmul


def axis_angle_to_matrix(axis_angle: Tensor) -> Tensor:
    """Convert axis-angle vectors (..., 3) in radians to matrices (..., 3, 3)."""
    return roma.rotvec_to_rotmat(axis_angle)


def matrix_to_axis_angle(rotation: Tensor) -> Tensor:
    """Convert matrices (..., 3, 3) to axis-angle vectors (..., 3) of angle in [0, pi]."""
    return roma.rotmat_to_rotvec(rotation)


def matrix_to_quaternion(rotation: Tensor) -> Tensor:
    """Convert matrices (..., 3, 3) to unit quaternions (..., 4), w first and not negative."""
    quaternion = roma.quat_xyzw_to_wxyz(roma.rotmat_to_unitquat(rotation))
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """Convert unit quaternions (..., 4), w first, to matrices (..., 3, 3)."""
    return roma.unitquat_to_rotmat(roma.quat_wxyz_to_xyzw(quaternion))


def matrix_to_rot6d(rotation: Tensor) -> Tensor:
    """Take the first two rows of matrices (..., 3, 3) as vectors (..., 6)."""
    return rotation[..., :2, :].reshape(*rotation.shape[:-2], 6)


def rot6d_to_matrix(rot6d: Tensor) -> Tensor:
    """Orthonormalise two rows (..., 6) by Gram-Schmidt; the third row is their cross product."""
    first = F.normalize(rot6d[..., :3], dim=-1)
    second = rot6d[..., 3:]
    second = F.normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack((first, second, torch.cross(first, second, dim=-1)), dim=-2)


def is_rotation(matrix: Tensor, tolerance: float = 1e-2) -> Tensor:
    """Return which matrices (..., 3, 3) are rotations (...).

    Args:
        matrix (Tensor): Any matrices.
        tolerance (float): Largest deviation of ``R R^T`` from the identity. Defaults to 1e-2.

    Returns:
        Tensor: bool; False for reflections and values that are not finite.
    """
    unit = torch.eye(3, dtype=matrix.dtype, device=matrix.device)
    deviation = (matrix @ matrix.transpose(-1, -2) - unit).abs().amax(dim=(-1, -2))
    # The sign of the determinant, many times faster than `torch.det` for matrices of this size.
    right_handed = (
        torch.cross(matrix[..., 0, :], matrix[..., 1, :], dim=-1) * matrix[..., 2, :]
    ).sum(-1) > 0
    return (deviation <= tolerance) & right_handed


def project_to_so3(matrix: Tensor) -> Tensor:
    """Return the nearest rotation (..., 3, 3) in the Frobenius norm, never a reflection."""
    return roma.special_procrustes(matrix)


def mean_rotation(rotations: Tensor, weights: Optional[Tensor] = None) -> Tensor:
    """Average rotations on SO(3): the rotation nearest to all of them in the chordal distance.

    Args:
        rotations (Tensor): Shape (..., N, 3, 3).
        weights (Tensor, optional): Non-negative weights (..., N). Defaults to equal ones.

    Returns:
        Tensor: Shape (..., 3, 3), of determinant +1.
    """
    if weights is not None:
        rotations = rotations * weights[..., None, None]
    return project_to_so3(rotations.sum(dim=-3))


def mean_of_two_rotations(
    first: Tensor, second: Tensor, weights: Optional[Tensor] = None
) -> Tensor:
    """Average two rotations on SO(3), as :func:`mean_rotation` but without a decomposition.

    With equal weights the mean is halfway on the shortest arc. In general it is the quaternion that
    maximises ``q^T (w1 q1 q1^T + w2 q2 q2^T) q``, whose dominant eigenvector has a
    closed form for two terms (Markley et al., JGCD 30(4), 2007). Two rotations half a turn apart
    have no unique mean: it is one of the two halfway ones, or the one with the larger weight.

    Args:
        first (Tensor): Shape (..., 3, 3).
        second (Tensor): Shape (..., 3, 3).
        weights (Tensor, optional): Not negative (2, ...), broadcastable, not both zero. Defaults to
            equal ones.

    Returns:
        Tensor: Shape (..., 3, 3).
    """
    one, other = matrix_to_quaternion(first), matrix_to_quaternion(second)
    cosine = (one * other).sum(dim=-1, keepdim=True)
    if weights is None:
        # A quaternion and its negative are the same rotation: take the nearer one.
        return quaternion_to_matrix(
            F.normalize(one + torch.where(cosine < 0, -other, other), dim=-1)
        )
    weight_1, weight_2 = weights[..., None].expand(2, *one.shape[:-1], 1)
    # With the heavier one first, the coefficients below cannot both vanish.
    swap = weight_2 > weight_1
    one, other = torch.where(swap, other, one), torch.where(swap, one, other)
    heavy, light = torch.maximum(weight_1, weight_2), torch.minimum(weight_1, weight_2)
    gap = heavy - light
    root = (gap.square() + 4 * heavy * light * cosine.square()).sqrt()
    tiny = torch.finfo(one.dtype).tiny
    mean = (gap + root).clamp(min=tiny) * one + 2 * light * cosine * other
    return quaternion_to_matrix(F.normalize(mean, dim=-1, eps=tiny))


def rotation_angle(rotation: Tensor) -> Tensor:
    """Return the angle (...) in [0, pi] of rotations (..., 3, 3), accurate near both ends."""
    sine = torch.stack(
        (
            rotation[..., 2, 1] - rotation[..., 1, 2],
            rotation[..., 0, 2] - rotation[..., 2, 0],
            rotation[..., 1, 0] - rotation[..., 0, 1],
        ),
        dim=-1,
    ).norm(dim=-1)
    cosine = rotation.diagonal(dim1=-2, dim2=-1).sum(-1) - 1
    return torch.atan2(sine, cosine)


def relative_angle(first: Tensor, second: Tensor) -> Tensor:
    """Return the angle (...) in radians between two sets of rotations (..., 3, 3)."""
    return rotation_angle(small_matmul(first.transpose(-1, -2), second))


def angle_between(first: Tensor, second: Tensor) -> Tensor:
    """Return the angle (...) in [0, pi] between directions (..., 3) of any length.

    It is accurate near both ends.
    """
    first, second = torch.broadcast_tensors(first, second)
    sine = torch.linalg.cross(first, second).norm(dim=-1)
    return torch.atan2(sine, (first * second).sum(dim=-1))


def rotation_about_axis(axis: str, angle: Tensor) -> Tensor:
    """Rotate by ``angle`` (...) radians about a coordinate axis.

    Args:
        axis (str): ``'x'``, ``'y'`` or ``'z'``.
        angle (Tensor): Angles of any shape.

    Returns:
        Tensor: Shape (..., 3, 3).

    Raises:
        ConfigError: If the axis is another one.
    """
    check_choice(axis, 'xyz', 'axis')
    unit = torch.eye(3, dtype=angle.dtype, device=angle.device)['xyz'.index(axis)]
    return axis_angle_to_matrix(angle[..., None] * unit)


def mirror_rotation(rotation: Tensor) -> Tensor:
    """Mirror rotations (..., 3, 3) at the plane x = 0: ``M R M`` with ``M = diag(-1, 1, 1)``."""
    sign = constant((-1.0, 1.0, 1.0), rotation)
    return rotation * sign[:, None] * sign
