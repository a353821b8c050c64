"""Foot sliding.

Note:
    - number of frames: F
    - number of contact points: N

Source: GVHMR, Sec. 4.1 (FS).
"""

from typing import Optional

from torch import Tensor

from .point_sets import METRES_TO_MILLIMETRES, ArrayLike, as_pair, difference

CONTACT_DISPLACEMENT = 1e-2
"""Metres per frame. A true point that moves less is in contact with the ground."""


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
