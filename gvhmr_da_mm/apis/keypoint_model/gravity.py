"""Direction of gravity in the camera of a motion."""

from typing import Union

from mmengine.structures import InstanceData
from torch import Tensor

from ...core.conventions import GRAVITY_Y_UP
from ...core.gravity_view import gravity_in_camera
from ...core.rotation import axis_angle_to_matrix


def motion_gravity(motion: Union[dict[str, Tensor], InstanceData]) -> Tensor:
    """Return the direction of gravity (F, 3), float64, in the camera of a motion.

    Args:
        motion (dict[str, Tensor] | InstanceData): ``global_orient_c`` and ``global_orient_w``:
            orientation of the root in the camera and in the y-up world, axis-angle (F, 3).
    """
    R_w, R_c = (axis_angle_to_matrix(motion[f'global_orient_{s}'].double()) for s in 'wc')
    return gravity_in_camera(R_w, R_c, GRAVITY_Y_UP)
