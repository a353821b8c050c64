"""Which way is up in a world, from how people stand in it."""

from typing import Optional

import torch
from torch import Tensor

from ....core.rotation import axis_angle_to_matrix

AXES = ('+x', '-x', '+y', '-y', '+z', '-z')
_DECISIVE = 0.6
"""Share of the mean direction that one axis must have; someone who lies down decides nothing."""


def up_axis(global_orient: Tensor) -> Optional[str]:
    """Return the axis that people stand along.

    In its rest pose a body of the SMPL family is upright along +y, so its root orientation says
    where its head points.

    Args:
        global_orient (Tensor): Root orientations in the world (N, 3), axis-angle.

    Returns:
        str, optional: One of :data:`AXES`; None if no axis is clear.
    """
    up = axis_angle_to_matrix(global_orient)[:, :, 1].mean(dim=0)
    axis = int(up.abs().argmax())
    if up[axis].abs() < _DECISIVE:
        return None
    return AXES[2 * axis + int(up[axis] < 0)]


def rotation_to_y_up(axis: str) -> Tensor:
    """Return the rotation (3, 3) that turns an axis of :data:`AXES` to +y."""
    return {
        '+x': torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]),
        '-x': torch.tensor([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
        '+y': torch.eye(3),
        '-y': torch.tensor([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]]),
        '+z': torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
        '-z': torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    }[axis]
