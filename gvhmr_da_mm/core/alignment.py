"""Least-squares similarity alignment of point sets, batched.

Note:
    - any leading dimensions: ``*``
    - number of points: N
    - number of frames: F
    - number of joints: J
"""

from typing import Optional

import torch
from torch import Tensor

from .checks import check_shape
from .errors import ShapeError


def similarity_align(
    source: Tensor, target: Tensor, scale: bool = True, weights: Optional[Tensor] = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Find the similarity that takes the source points closest to the target points.

    It minimises ``sum_n w_n |s R x_n + t - y_n|^2`` over rotations, never reflections. The scale
    is 1 if all source points coincide, which leaves it undetermined.

    Args:
        source (Tensor): Points x, (*, N, 3), metres.
        target (Tensor): Points y, (*, N, 3), metres.
        scale (bool): Whether to fit the scale; otherwise it is 1. Defaults to True.
        weights (Tensor, optional): Non-negative weights w, (*, N), with a positive sum. Defaults to
            None, all equal.

    Returns:
        tuple[Tensor, Tensor, Tensor]: Scale (*), rotation (*, 3, 3) and translation (*, 3).

    Raises:
        ShapeError: If the shapes differ, or there is no point.

    Source: Umeyama, *Least-squares estimation of transformation parameters between two point
    patterns*, PAMI 1991.
    """
    _check_same(source, target, '* N 3')
    if weights is None:
        weights = source.new_ones(source.shape[:-1])
    check_shape(weights, '* N', 'weights', N=source.shape[-2])
    weights = (weights / weights.sum(dim=-1, keepdim=True)).unsqueeze(-1)

    source_mean = (weights * source).sum(dim=-2, keepdim=True)
    target_mean = (weights * target).sum(dim=-2, keepdim=True)
    source_centred = source - source_mean
    covariance = (weights * (target - target_mean)).transpose(-1, -2) @ source_centred
    U, singular, Vh = torch.linalg.svd(covariance)
    # A reflection becomes a rotation by flipping the direction of least covariance.
    sign = torch.ones_like(singular)
    sign[..., 2] = torch.sign(torch.linalg.det(U) * torch.linalg.det(Vh))
    R = (U * sign.unsqueeze(-2)) @ Vh

    s = torch.ones_like(singular[..., 0])
    if scale:
        variance = (weights * source_centred.square()).sum(dim=(-1, -2))
        coincide = variance <= torch.finfo(variance.dtype).tiny
        fitted = (singular * sign).sum(dim=-1) / torch.where(coincide, s, variance)
        s = torch.where(coincide, s, fitted)
    t = target_mean.squeeze(-2) - s.unsqueeze(-1) * (R @ source_mean.transpose(-1, -2)).squeeze(-1)
    return s, R, t


def apply_similarity(points: Tensor, s: Tensor, R: Tensor, t: Tensor) -> Tensor:
    """Return ``s R x + t`` for points (*, N, 3), scale (*), rotation (*, 3, 3), shift (*, 3)."""
    return s[..., None, None] * (points @ R.transpose(-1, -2)) + t.unsqueeze(-2)


def procrustes(source: Tensor, target: Tensor, scale: bool = True) -> Tensor:
    """Align the points of each frame to the target by a similarity of its own.

    Args:
        source (Tensor): Points, (*, N, 3), metres.
        target (Tensor): Points, (*, N, 3), metres.
        scale (bool): Whether to fit the scale. Defaults to True.

    Returns:
        Tensor: The aligned source, (*, N, 3).

    Raises:
        ShapeError: If the shapes differ.
    """
    return apply_similarity(source, *similarity_align(source, target, scale))


def align_chunk(
    source: Tensor, target: Tensor, scale: bool = True, frame_weights: Optional[Tensor] = None
) -> Tensor:
    """Align a chunk of frames to the target by one similarity that fits all of them.

    Args:
        source (Tensor): Points, (*, F, J, 3), metres.
        target (Tensor): Points, (*, F, J, 3), metres.
        scale (bool): Whether to fit the scale. Defaults to True.
        frame_weights (Tensor, optional): Weight of each frame in the fit, (*, F); a frame of weight
            0 is moved but not fitted. Defaults to None, all equal.

    Returns:
        Tensor: The aligned source, (*, F, J, 3).

    Raises:
        ShapeError: If the shapes differ.
    """
    num_frames, num_joints = _check_same(source, target, '* F J 3')
    if frame_weights is None:
        frame_weights = source.new_ones(source.shape[:-2])
    check_shape(frame_weights, '* F', 'frame_weights', F=num_frames)
    weights = frame_weights.to(source.dtype).repeat_interleave(num_joints, dim=-1)
    points = source.flatten(-3, -2)
    similarity = similarity_align(points, target.flatten(-3, -2), scale, weights)
    return apply_similarity(points, *similarity).view(source.shape)


def _check_same(source: Tensor, target: Tensor, pattern: str) -> list[int]:
    """Check that both tensors match the pattern and each other; return the named sizes."""
    sizes = check_shape(source, pattern, 'source')
    check_shape(target, pattern, 'target', **sizes)
    if source.shape != target.shape or 0 in sizes.values():
        raise ShapeError(
            f'`source` and `target` should have the same shape ({pattern}) and at least one point, '
            f'got {tuple(source.shape)} and {tuple(target.shape)}'
        )
    return list(sizes.values())
