"""Estimate of the up axis of a world from root orientations."""

from typing import Optional

from torch import Tensor

from ....core.extrinsics import AXES
from ....core.rotation import axis_angle_to_matrix

_MIN_SHARE = 0.6
"""Smallest component of the mean direction along an axis; lower if people lie down."""


def up_axis(global_orient: Tensor) -> Optional[str]:
    """Return the axis along which people stand.

    In its rest pose a body of the SMPL family is upright along +y, so its root orientation maps +y
    to the direction of the head.

    Args:
        global_orient (Tensor): Root orientations in the world (N, 3), axis-angle.

    Returns:
        str, optional: One of :data:`~gvhmr_da_mm.core.extrinsics.AXES`; None if no axis is clear.
    """
    up = axis_angle_to_matrix(global_orient)[:, :, 1].mean(dim=0)
    axis = int(up.abs().argmax())
    if up[axis].abs() < _MIN_SHARE:
        return None
    return AXES[2 * axis + int(up[axis] < 0)]
