"""3D algebra with the frames in the last dimension, for loops that run many times over a clip.

A product of small matrices then is a few passes over long rows of memory, several times as fast on
a CPU as batched products of matrices whose numbers lie side by side.

Note:
    N frames, ``...`` any dimensions between. Vectors are (3, ..., N), matrices (3, 3, ..., N) with
    the row first. Nothing here is made for autograd.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .kinematics import tree_plan


def frames_last(values: Tensor) -> Tensor:
    """Turn (B, L, ...) around to (reversed ..., N), N = B L; matrices are to be transposed."""
    flat = values.flatten(0, 1)
    return flat.permute(*range(flat.ndim - 1, -1, -1)).contiguous()


def matrix_product(first: Tensor, second: Tensor) -> Tensor:
    """Multiply matrices (3, 3, ..., N)."""
    product = first[:, 0, None] * second[None, 0]
    for inner in (1, 2):
        product.addcmul_(first[:, inner, None], second[None, inner])
    return product


def transform(matrix: Tensor, vector: Tensor) -> Tensor:
    """Multiply matrices (3, 3, ..., N) with column vectors (3, ..., N)."""
    result = matrix[:, 0] * vector[0]
    for column in (1, 2):
        result.addcmul_(matrix[:, column], vector[column])
    return result


def transform_back(matrix: Tensor, vector: Tensor) -> Tensor:
    """Multiply the transposes of matrices (3, 3, ..., N) with column vectors (3, ..., N)."""
    return transform(matrix.transpose(0, 1), vector)


def cross_product(first: Tensor, second: Tensor, dim: int = 0) -> Tensor:
    """Return the cross products over a dimension of size 3.

    Args:
        first (Tensor): Any shape.
        second (Tensor): The same shape.
        dim (int): The components. Defaults to 0.
    """
    result = torch.empty_like(first)
    for axis in range(3):
        following, last = (axis + 1) % 3, (axis + 2) % 3
        here = result.select(dim, axis)
        torch.mul(first.select(dim, following), second.select(dim, last), out=here)
        here.addcmul_(first.select(dim, last), second.select(dim, following), value=-1)
    return result


class Turn(NamedTuple):
    """Rotations by vectors w, with K the matrix of ``w x``.

    Attributes:
        matrix (Tensor): ``exp(K) = I + sin(a) / a K + (1 - cos(a)) / a² K²`` (3, 3, ..., N), of the
            angle a (Rodrigues).
        vector (Tensor): w (3, ..., N), rad.
        first_order (Tensor): ``(1 - cos(a)) / a²`` (..., N).
        second_order (Tensor): ``(a - sin(a)) / a³`` (..., N).
    """

    matrix: Tensor
    vector: Tensor
    first_order: Tensor
    second_order: Tensor

    def gradient(self, torque: Tensor) -> Tensor:
        """Return a derivative by w (3, ..., N).

        Args:
            torque (Tensor): Derivative by a small turn after this one, ``exp(K) exp(turn)``,
                (3, ..., N).

        Source: the transposed right Jacobian of SO(3), ``I + first_order K + second_order K²``
        (Solà et al., 2018, Eq. 143).
        """
        once = cross_product(self.vector, torque)
        twice = cross_product(self.vector, once)
        return torque.addcmul(self.first_order, once).addcmul_(self.second_order, twice)


def turn(vector: Tensor) -> Turn:
    """Return the rotations by vectors (3, ..., N) in rad, accurate at any angle below a turn."""
    squared = vector.square().sum(0)
    angle = squared.sqrt().clamp_(min=1e-4)
    half = angle / 2
    sinc = angle.sin() / angle
    first_order = half.sin().div_(half).square_().div_(2)
    # The difference loses its digits near zero, where its series ends after the first term.
    second_order = torch.where(squared < 1e-4, 1 / 6, (1 - sinc) / angle.square())
    matrix = (first_order * vector)[:, None] * vector
    scaled = sinc * vector
    cosine = 1 - first_order * squared
    for axis in range(3):
        following, last = (axis + 1) % 3, (axis + 2) % 3
        matrix[following, last].sub_(scaled[axis])
        matrix[last, following].add_(scaled[axis])
        matrix[axis, axis].add_(cosine)
    return Turn(matrix, vector, first_order, second_order)


def chain_rotations(R_local: Tensor, parents: Sequence[int]) -> Tensor:
    """Return the global rotations (3, 3, J, N) of a joint tree.

    Args:
        R_local (Tensor): Rotations relative to the parent (3, 3, J, N).
        parents (Sequence[int]): Parent of each joint, -1 for a root.
    """
    plan = tree_plan(tuple(parents), R_local.device)
    levels = [R_local.index_select(2, plan.levels[0].joints)]
    for joints, above in plan.levels[1:]:
        R_parent = levels[-1].index_select(2, above)
        levels.append(matrix_product(R_parent, R_local.index_select(2, joints)))
    return torch.cat(levels, 2).index_select(2, plan.order)
