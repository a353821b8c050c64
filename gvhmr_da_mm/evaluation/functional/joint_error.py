"""Joint and vertex errors of each frame: MPJPE, PA-MPJPE and PVE.

Note:
    - number of frames: F
    - number of joints: J
    - number of vertices: V

Source: GVHMR, Sec. 4.1 (camera-space metrics).
"""

from collections.abc import Sequence
from typing import Optional

from torch import Tensor

from ...core.alignment import procrustes
from .point_sets import METRES_TO_MILLIMETRES, ArrayLike, as_pair, relative_to_pelvis


def mpjpe(
    pred: ArrayLike,
    target: ArrayLike,
    pelvis: Optional[Sequence[int]] = None,
    per_joint: bool = False,
) -> Tensor:
    """Mean per-joint position error.

    Args:
        pred (Tensor | np.ndarray): Predicted joints, (F, J, 3), metres.
        target (Tensor | np.ndarray): True joints, (F, J, 3), metres.
        pelvis (Sequence[int], optional): Joints whose mean is moved to the origin first.
            Defaults to None, no alignment.
        per_joint (bool): Whether not to average over the joints. Defaults to False.

    Returns:
        Tensor: The error of each frame, (F,), or of each joint, (F, J), mm.

    Raises:
        ShapeError: If the shapes differ.
    """
    pred, target = as_pair(pred, target)
    if pelvis is not None:
        pred, target = (relative_to_pelvis(x, x, pelvis) for x in (pred, target))
    error = (pred - target).norm(dim=-1) * METRES_TO_MILLIMETRES
    return error if per_joint else error.mean(dim=-1)


def pa_mpjpe(pred: ArrayLike, target: ArrayLike) -> Tensor:
    """Mean per-joint position error after a similarity alignment of each frame.

    Args:
        pred (Tensor | np.ndarray): Predicted joints, (F, J, 3), metres.
        target (Tensor | np.ndarray): True joints, (F, J, 3), metres.

    Returns:
        Tensor: The error of each frame, (F,), mm.

    Raises:
        ShapeError: If the shapes differ.
    """
    pred, target = as_pair(pred, target)
    return mpjpe(procrustes(pred, target), target)


def pve(
    pred_verts: ArrayLike,
    target_verts: ArrayLike,
    pred_joints: ArrayLike,
    target_joints: ArrayLike,
    pelvis: Sequence[int],
) -> Tensor:
    """Mean per-vertex error relative to the pelvis.

    Args:
        pred_verts (Tensor | np.ndarray): Predicted vertices, (F, V, 3), metres.
        target_verts (Tensor | np.ndarray): True vertices, (F, V, 3), metres.
        pred_joints (Tensor | np.ndarray): Predicted joints, (F, J, 3), metres.
        target_joints (Tensor | np.ndarray): True joints, (F, J, 3), metres.
        pelvis (Sequence[int]): Joints whose mean is the pelvis.

    Returns:
        Tensor: The error of each frame, (F,), mm.

    Raises:
        ShapeError: If the shapes differ.
    """
    pred_verts, target_verts = as_pair(pred_verts, target_verts)
    pred_joints, target_joints = as_pair(pred_joints, target_joints)
    return mpjpe(
        relative_to_pelvis(pred_verts, pred_joints, pelvis),
        relative_to_pelvis(target_verts, target_joints, pelvis),
    )
