"""Direction of gravity in the camera."""

import torch
from torch import Tensor

from ...core.conventions import GRAVITY_Y_UP
from ...core.rotation import axis_angle_to_matrix


def gravity_in_camera(global_orient_c: Tensor, global_orient_w: Tensor) -> Tensor:
    """Return the direction of gravity (F, 3) in the camera.

    Args:
        global_orient_c (Tensor): Orientation of the root in the camera, axis-angle (F, 3).
        global_orient_w (Tensor): The same in the y-up world (F, 3).
    """
    R_c, R_w = (
        axis_angle_to_matrix(value.double()) for value in (global_orient_c, global_orient_w)
    )
    return R_c @ R_w.mT @ torch.tensor(GRAVITY_Y_UP, dtype=torch.float64)
