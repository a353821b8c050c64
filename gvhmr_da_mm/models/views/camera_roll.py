"""View of a camera rolled about its optical axis."""

from math import pi
from typing import Any, Optional

import torch
from torch import Tensor

from ...core.checks import check_at_least
from ...core.errors import ConfigError
from ...core.rotation import rotation_about_axis
from ...core.small_matrices import small_matvec
from ...registry import TRANSFORMS
from ...structures.motion import MotionPrediction
from .base_view import BaseView
from .functional import (
    Inputs,
    clip_size,
    drop_features,
    rand,
    require,
    turn_root,
)


@TRANSFORMS.register_module()
class CameraRoll(BaseView):
    """Turn the camera about its optical axis by one angle per clip.

    With R_z the roll, camera coordinates become R_z p, so pixels move by K R_z K^-1: a rotation
    about the principal point where fx = fy, an affine map in general. The camera's rotation
    between frames is conjugated by R_z and the root's orientation in the camera becomes R_z R_c.

    The gravity-view frame is built from gravity and the optical axis alone. R_z keeps the axis and
    commutes with the cross product, so R_c2gv becomes R_c2gv R_z^T: the orientation in GV,
    R_c2gv R_c, and the velocity in the root's own frame do not change. (Where the camera looks
    exactly along gravity, GV falls back on the camera's x axis and is not defined well enough for
    this, as it is for any noise.)

    Image features cannot be rolled: they are kept up to ``max_feature_roll`` and dropped beyond.

    Args:
        max_angle (float): Largest roll to either side in radians. Defaults to 0.09 (5 degrees).
        max_feature_roll (float): Largest roll in radians up to which image features are kept.
            Defaults to 0.09 (5 degrees).

    Raises:
        ConfigError: If an angle is negative or more than pi.
    """

    def __init__(self, max_angle: float = 0.09, max_feature_roll: float = 0.09) -> None:
        check_at_least(0, max_angle=max_angle, max_feature_roll=max_feature_roll)
        self.max_angle, self.max_feature_roll = float(max_angle), float(max_feature_roll)
        if self.max_angle > pi:
            raise ConfigError(
                f'`max_angle` should be at most pi, got {max_angle}: it is in radians'
            )

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Turn a batch; the state holds ``angle`` (B,) in radians."""
        batch, _ = clip_size(inputs)
        require(inputs, ('bbx_xys', 'K_fullimg', 'cam_angvel'), 'CameraRoll')
        K = inputs['K_fullimg']
        angle = (2 * rand((batch,), K, generator) - 1) * self.max_angle
        roll = rotation_about_axis('z', angle)[:, None]

        # The optical axis is fixed, so K R_z K^-1 is linear about the principal point.
        focal, centre = K[..., :2, :2], K[..., :2, 2]
        linear = focal @ roll[..., :2, :2] @ torch.linalg.inv(focal)
        kp2d, box = inputs['kp2d'], inputs['bbx_xys']
        kp2d_xy = _turn_pixels(kp2d[..., :2], linear[:, :, None], centre[:, :, None])
        turned = dict(
            inputs,
            kp2d=torch.cat((kp2d_xy, kp2d[..., 2:]), dim=-1),
            bbx_xys=torch.cat((_turn_pixels(box[..., :2], linear, centre), box[..., 2:]), dim=-1),
            cam_angvel=_conjugate(inputs['cam_angvel'], roll),
        )
        if 'f_imgseq' in inputs:
            turned = drop_features(turned, angle.abs() > self.max_feature_roll)
        return turned, dict(angle=angle)

    def invert(
        self,
        prediction: MotionPrediction,
        state: dict[str, Any],
        inputs: Inputs,
        root_offset: Optional[Tensor] = None,
    ) -> MotionPrediction:
        """Turn a prediction back."""
        back = rotation_about_axis('z', -state['angle'].to(prediction.R_c))[:, None]
        return prediction.replace(
            R_c=back @ prediction.R_c,
            transl_c=turn_root(prediction.transl_c, back, root_offset),
            x=None,
        ).for_box(inputs['bbx_xys'], inputs['K_fullimg'])


def _turn_pixels(pixels: Tensor, linear: Tensor, centre: Tensor) -> Tensor:
    """Map pixels (..., 2) by linear maps (..., 2, 2) about a centre (..., 2)."""
    return small_matvec(linear, pixels - centre) + centre


def _conjugate(cam_angvel: Tensor, roll: Tensor) -> Tensor:
    """Return the 6D form (B, L, 6) of ``roll @ R @ roll.T``.

    A roll mixes the first two rows among themselves only, so the third is never needed.
    """
    rows = cam_angvel.unflatten(-1, (2, 3))
    return (roll[..., :2, :2] @ rows @ roll.transpose(-1, -2)).flatten(-2)
