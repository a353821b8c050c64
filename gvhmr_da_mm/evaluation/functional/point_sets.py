"""Helpers of the metric functions: input conversion, pelvis alignment, masked differences.

Note:
    - number of frames: F
    - number of points: N
"""

from collections.abc import Sequence
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from ...core.checks import check_shape
from ...core.errors import ConfigError, ShapeError

ArrayLike = Union[Tensor, np.ndarray]

METRES_TO_MILLIMETRES = 1000.0
HALF_PRECISION = (torch.float16, torch.bfloat16)


def as_points(points: ArrayLike, name: str, pattern: str = 'F N 3') -> Tensor:
    """Return the points as a floating-point tensor of the wanted shape.

    Args:
        points (Tensor | np.ndarray): The points.
        name (str): Their name in an error message.
        pattern (str): Shape pattern of ``check_shape``. Defaults to 'F N 3'.

    Returns:
        Tensor: The same points; integers become float64, half precision float32.

    Raises:
        ShapeError: If the shape does not match.
    """
    tensor = torch.as_tensor(points)
    check_shape(tensor, pattern, name)
    if not tensor.is_floating_point():
        return tensor.double()
    return tensor.float() if tensor.dtype in HALF_PRECISION else tensor


def as_pair(pred: ArrayLike, target: ArrayLike, pattern: str = 'F N 3') -> tuple[Tensor, Tensor]:
    """Return prediction and target as tensors of one shape, dtype and device.

    Raises:
        ShapeError: If a shape does not match the pattern, or the two differ.
    """
    pred, target = as_points(pred, 'pred', pattern), as_points(target, 'target', pattern)
    if pred.shape != target.shape:
        raise ShapeError(
            f'`pred` and `target` should have the same shape ({", ".join(pattern.split())}), got '
            f'{tuple(pred.shape)} and {tuple(target.shape)}: compare the same frames and joints'
        )
    dtype = torch.promote_types(pred.dtype, target.dtype)
    return pred.to(dtype), target.to(pred.device, dtype)


def relative_to_pelvis(points: Tensor, joints: Tensor, pelvis: Sequence[int]) -> Tensor:
    """Subtract each frame's pelvis, the mean of some of its joints, from the points.

    Args:
        points (Tensor): Joints or vertices, (F, N, 3), metres.
        joints (Tensor): Joints of the same frames, (F, J, 3), metres.
        pelvis (Sequence[int]): Joints whose mean is the pelvis.

    Returns:
        Tensor: The points relative to the pelvis, (F, N, 3).

    Raises:
        ConfigError: If a pelvis joint is not in the joint set.
    """
    num_joints = joints.shape[-2]
    if not pelvis or not all(0 <= row < num_joints for row in pelvis):
        raise ConfigError(
            f'`pelvis` should name one or more of the {num_joints} joints, got {tuple(pelvis)}'
        )
    return points - joints[:, list(pelvis)].mean(dim=1, keepdim=True)


def difference(
    points: Tensor, order: int, mask: Optional[ArrayLike] = None, strict: bool = False
) -> Tensor:
    """Take the finite difference of some order over the valid frames.

    Args:
        points (Tensor): Points of every frame, (F, N, 3).
        order (int): How often to difference.
        mask (Tensor | np.ndarray, optional): Frames to keep, (F,), bool. Defaults to None, all.
        strict (bool): With True, only runs of ``order + 1`` adjacent valid frames count. With False
            the masked frames are cut out first, so that a difference may span a gap as if no time
            had passed, as the published evaluation does. Defaults to False.

    Returns:
        Tensor: The differences, (D, N, 3), where D is ``max(valid - order, 0)`` with
        ``strict=False``, and at most that with ``strict=True``.

    Raises:
        ShapeError: If the mask does not fit the frames.
    """
    if mask is None:
        return torch.diff(points, n=order, dim=0)
    mask = torch.as_tensor(mask, device=points.device)
    check_shape(mask, 'F', 'mask', F=points.shape[0])
    mask = mask.bool()
    if not strict:
        return torch.diff(points[mask], n=order, dim=0)
    differences = torch.diff(points, n=order, dim=0)
    if len(differences) == 0:
        return differences
    return differences[mask.unfold(0, order + 1, 1).all(dim=-1)]
