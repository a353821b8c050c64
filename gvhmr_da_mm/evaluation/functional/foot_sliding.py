"""Foot sliding.

Note:
    - number of frames: F
    - number of vertices: V
    - number of contact points: N

Source: GVHMR, Sec. 4.1 (FS).
"""

from typing import Optional

from torch import Tensor

from ...core.conventions import FOOT_VERTEX_IDS
from ...core.errors import ShapeError
from ...core.layout import NUM_SMPL_VERTS
from .point_sets import METRES_TO_MILLIMETRES, ArrayLike, as_pair, difference

CONTACT_DISPLACEMENT = 1e-2
"""Metres per frame. A true point that moves less is in contact with the ground."""


def foot_sliding(
    pred_verts: ArrayLike,
    target_verts: ArrayLike,
    mask: Optional[ArrayLike] = None,
    strict: bool = False,
    threshold: float = CONTACT_DISPLACEMENT,
) -> Tensor:
    """Displacement of the predicted foot vertices while the true ones stand still.

    Args:
        pred_verts (Tensor | np.ndarray): Predicted SMPL vertices, world, (F, 6890, 3), metres.
        target_verts (Tensor | np.ndarray): True SMPL vertices, (F, 6890, 3), metres.
        mask (Tensor | np.ndarray, optional): Frames to keep, (F,), bool. Defaults to None, all.
        strict (bool): Whether to leave out steps that span a masked frame, instead of cutting those
            frames out first. Defaults to False.
        threshold (float): Displacement below which a true vertex stands still, metres per frame.
            Defaults to 0.01.

    Returns:
        Tensor: The displacement of each standing vertex at each step, in the order frame, vertex,
        (D,), D <= 4 (F - 1), mm.

    Raises:
        ShapeError: If the meshes are not SMPL's: its vertex ids mean nothing on another topology.
    """
    for name, verts in (('pred_verts', pred_verts), ('target_verts', target_verts)):
        if len(verts.shape) != 3 or verts.shape[1] != NUM_SMPL_VERTS:
            raise ShapeError(
                f'`{name}` should be SMPL vertices (F, {NUM_SMPL_VERTS}, 3), got '
                f'{tuple(verts.shape)}: turn SMPL-X meshes into SMPL ones first '
                '(SMPLXBody.to_smpl_vertices), or pass the contact points to `contact_sliding`'
            )
    feet = list(FOOT_VERTEX_IDS)
    return contact_sliding(pred_verts[:, feet], target_verts[:, feet], mask, strict, threshold)


def contact_sliding(
    pred: ArrayLike,
    target: ArrayLike,
    mask: Optional[ArrayLike] = None,
    strict: bool = False,
    threshold: float = CONTACT_DISPLACEMENT,
) -> Tensor:
    """Displacement of predicted contact points while the true ones stand still.

    Args:
        pred (Tensor | np.ndarray): Predicted points in the world, (F, N, 3), metres.
        target (Tensor | np.ndarray): True points, (F, N, 3), metres.
        mask (Tensor | np.ndarray, optional): Frames to keep, (F,), bool. Defaults to None, all.
        strict (bool): Whether to leave out steps that span a masked frame. Defaults to False.
        threshold (float): Displacement below which a true point stands still, metres per frame.
            Defaults to 0.01.

    Returns:
        Tensor: The displacement of each standing point at each step, (D,), D <= N (F - 1), mm.

    Raises:
        ShapeError: If the shapes differ, or the mask does not fit.
    """
    pred, target = as_pair(pred, target)
    moved = difference(pred, 1, mask, strict).norm(dim=-1)
    # In float64, so that rounding does not decide which points stand.
    standing = difference(target.double(), 1, mask, strict).norm(dim=-1) < threshold
    return moved[standing] * METRES_TO_MILLIMETRES
