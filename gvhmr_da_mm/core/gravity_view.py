"""The gravity-view frame of an image (GVHMR, Sec. 3.1)."""

from collections.abc import Sequence
from typing import Union

import torch
import torch.nn.functional as F
from torch import Tensor

from .constants import constant
from .conventions import GRAVITY_GV, GRAVITY_Y_UP
from .small_matrices import small_matvec

DEGENERATE_NORM = 1e-5
"""Sine of the angle between view and gravity below which the horizontal view is undefined."""


def gravity_view_rotation(
    R_w2c: Tensor, gravity_w: Union[Tensor, Sequence[float]] = GRAVITY_Y_UP
) -> Tensor:
    """Return the rotation from each camera to its gravity-view frame.

    The frame's y axis is gravity, x is perpendicular to gravity and to the viewing direction,
    z = x cross y. Where the camera looks along gravity, x is the camera's own x axis.

    Args:
        R_w2c (Tensor): World-to-camera rotations (..., 3, 3).
        gravity_w (Tensor | Sequence[float]): Direction of gravity in the world (3,). Defaults to
            (0, -1, 0), a world with y up.

    Returns:
        Tensor: ``R_c2gv`` (..., 3, 3). As the method divides by ``norm + 1e-5``, x and z are
        shorter than one by up to 1e-5 / sin(angle between gravity and view).
    """
    gravity = torch.as_tensor(gravity_w, dtype=R_w2c.dtype, device=R_w2c.device)
    return gravity_view_of(R_w2c @ gravity)


def gravity_view_of(gravity_c: Tensor) -> Tensor:
    """Return :func:`gravity_view_rotation` of the direction of gravity (..., 3) in each camera."""
    y = gravity_c
    view = torch.eye(3, dtype=y.dtype, device=y.device)[2].expand_as(y)
    x = torch.cross(y, view, dim=-1)
    norm = x.norm(dim=-1, keepdim=True)
    camera_x = torch.eye(3, dtype=y.dtype, device=y.device)[0].expand_as(y)
    x = torch.where(norm < DEGENERATE_NORM, camera_x, x / (norm + DEGENERATE_NORM))
    z = torch.cross(x, y, dim=-1)
    return torch.stack((x, y, z), dim=-2)


def gravity_in_camera(
    R_root: Tensor, R_c: Tensor, gravity: tuple[float, float, float] = GRAVITY_GV
) -> Tensor:
    """Return the direction of gravity (..., 3) in each camera.

    Args:
        R_root (Tensor): Root orientation in the gravity view or another frame (..., 3, 3).
        R_c (Tensor): Root orientation in the camera (..., 3, 3).
        gravity (tuple[float, float, float]): Direction of gravity in the frame of ``R_root``.
            Defaults to (0, 1, 0), that of the gravity view.
    """
    return small_matvec(R_c, small_matvec(R_root.mT, constant(gravity, R_root)))


def horizontal_direction(direction_gv: Tensor) -> Tensor:
    """Project directions (..., 3) on the horizontal plane (y = 0) and normalise them."""
    return F.normalize(direction_gv * constant((1.0, 0.0, 1.0), direction_gv), dim=-1)
