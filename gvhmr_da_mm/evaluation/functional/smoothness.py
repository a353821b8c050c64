"""Acceleration error and jitter.

Note:
    - number of frames: F
    - number of joints: J

Source: GVHMR, Sec. 4.1. Both are differences over time; ``strict`` decides what happens at gaps of
the valid mask.
"""

from typing import Optional

from torch import Tensor

from ...core.conventions import FPS
from .point_sets import ArrayLike, as_pair, as_points, difference

JITTER_UNIT = 10.0
"""Metres per second cubed."""


def acceleration_error(
    pred: ArrayLike,
    target: ArrayLike,
    fps: float = FPS,
    mask: Optional[ArrayLike] = None,
    strict: bool = False,
) -> Tensor:
    """Mean length of the difference between predicted and true joint accelerations.

    Args:
        pred (Tensor | np.ndarray): Predicted joints, (F, J, 3), metres.
        target (Tensor | np.ndarray): True joints, (F, J, 3), metres.
        fps (float): Frames per second; 1 gives m/frame^2. Defaults to 30.
        mask (Tensor | np.ndarray, optional): Frames to keep, (F,), bool. Defaults to None, all.
        strict (bool): Whether to leave out differences that span a masked frame, instead of cutting
            those frames out first. Defaults to False.

    Returns:
        Tensor: The error around each frame that has two neighbours, (D,), D <= F - 2, m/s^2.

    Raises:
        ShapeError: If the shapes differ, or the mask does not fit.
    """
    pred, target = as_pair(pred, target)
    error = difference(pred, 2, mask, strict) - difference(target, 2, mask, strict)
    return error.norm(dim=-1).mean(dim=-1) * fps**2


def jitter(
    joints: ArrayLike,
    fps: float = FPS,
    mask: Optional[ArrayLike] = None,
    strict: bool = False,
) -> Tensor:
    """Mean length of the third time derivative of the joints.

    Args:
        joints (Tensor | np.ndarray): Predicted joints in the world, (F, J, 3), metres.
        fps (float): Frames per second. Defaults to 30.
        mask (Tensor | np.ndarray, optional): Frames to keep, (F,), bool. Defaults to None, all.
        strict (bool): Whether to leave out differences that span a masked frame, instead of cutting
            those frames out first. Defaults to False.

    Returns:
        Tensor: The jitter of each run of four frames, (D,), D <= F - 3, 10 m/s^3.

    Raises:
        ShapeError: If a shape is wrong, or the mask does not fit.
    """
    third = difference(as_points(joints, 'joints'), 3, mask, strict)
    return third.norm(dim=-1).mean(dim=-1) * fps**3 / JITTER_UNIT
