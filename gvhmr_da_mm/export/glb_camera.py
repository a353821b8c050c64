"""Camera of a video, in the form of binary glTF."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from ..core.extrinsics import invert_rigid
from ..core.rotation import matrix_to_quaternion

NEAR_PLANE = 0.05
"""Nearest depth that a program shows, m."""


@dataclass(frozen=True)
class CameraTrack:
    """Camera of a motion; its principal point is taken to be the centre, as glTF has none.

    Attributes:
        T_w2c (Tensor): World (y up) to camera (F, 4, 4), m; OpenCV's axes.
        K (Tensor): Intrinsics (3, 3), px.
        size (tuple[int, int]): Width and height of the image, px.
    """

    T_w2c: Tensor
    K: Tensor
    size: tuple[int, int]

    def shifted(self, shift: Tensor) -> 'CameraTrack':
        """Move the camera (3,), m, in the world."""
        T = self.T_w2c.clone()
        T[:, :3, 3] -= T[:, :3, :3] @ shift.to(T)
        return replace(self, T_w2c=T)

    def lens(self) -> dict[str, Any]:
        """Return the projection as glTF stores it."""
        width, height = self.size
        focal_x, focal_y = float(self.K[0, 0]), float(self.K[1, 1])
        perspective = dict(
            yfov=2 * math.atan(height / 2 / focal_y),
            aspectRatio=(width / focal_x) / (height / focal_y),
            znear=NEAR_PLANE,
        )
        return dict(name='camera', type='perspective', perspective=perspective)

    def placed(self) -> dict[str, np.ndarray]:
        """Return positions (F, 3) and quaternions (F, 4); cameras of glTF look along -z, y up."""
        T_c2w = invert_rigid(self.T_w2c)
        turned = T_c2w[:, :3, :3] * T_c2w.new_tensor([1.0, -1.0, -1.0])
        rotation = continuous_quaternions(turned[:, None])[:, 0]
        return dict(translation=T_c2w[:, :3, 3].numpy(), rotation=rotation)


def continuous_quaternions(rotations: Tensor) -> np.ndarray:
    """Return rotations (F, J, 3, 3) as x, y, z, w (F, J, 4), with signs continuous over time."""
    wxyz = matrix_to_quaternion(rotations).numpy()
    signs = np.sign((wxyz[1:] * wxyz[:-1]).sum(axis=-1, keepdims=True))
    signs[signs == 0] = 1
    wxyz[1:] *= np.cumprod(signs, axis=0)
    return np.roll(wxyz, -1, axis=-1)
