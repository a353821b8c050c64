"""Odometry from the feet: the trajectory through the world that keeps the lowest foot in place."""

import torch
from torch import Tensor, nn

from ...core.conventions import STATIC_JOINTS
from ...core.errors import ConfigError
from ...core.filtering import gaussian_smooth, hold_last_valid
from ...registry import MODELS
from ...structures import MotionPrediction

FEET = STATIC_JOINTS[:4]
"""Ankles and feet, the static joints without the wrists."""


@MODELS.register_module()
class FootContactOdometry:
    """Draw the root's velocity towards what keeps the lowest foot in place.

    On real video the network has nothing to learn its velocities from: the camera follows, and the
    keypoints say nothing about the world. Its pose, once fitted to the keypoints, does: somebody
    who stands on a foot moves as that foot moves under the pelvis. How far the foot is below the
    others decides how much it counts, so no contact has to be predicted.

    In the air the lowest foot is no hold, so by it alone runs come out too slow. Feet and network
    err in ways of their own: a mean of the two is better than either.

    Note:
        - B: batch, L: frames.

    Args:
        temperature (float): Difference in height, m, at which a foot counts 1/e of the lowest one.
            Defaults to 0.02.
        smoothing (float): Gaussian sigma, frames, over the feet's velocity in the world; 0 for
            none. Defaults to 5.
        weight (float): Of the feet's velocity, in [0, 1]; the predicted one has the rest. Defaults
            to 0.5.

    Raises:
        ConfigError: If ``temperature`` is not positive, ``smoothing`` is negative or ``weight`` is
            out of range.

    Source: that a foot on the ground fixes the root's velocity is classic legged odometry; GVHMR
    (Sec. 3.3) corrects its paths so where the network calls a joint static.
    """

    def __init__(
        self, temperature: float = 0.02, smoothing: float = 5.0, weight: float = 0.5
    ) -> None:
        if temperature <= 0 or smoothing < 0 or not 0 <= weight <= 1:
            raise ConfigError(
                'FootContactOdometry needs `temperature` > 0, `smoothing` >= 0 and '
                f'0 <= `weight` <= 1, got {temperature}, {smoothing} and {weight}'
            )
        self.temperature = temperature
        self.smoothing = smoothing
        self.weight = weight

    @torch.no_grad()
    def __call__(
        self, prediction: MotionPrediction, cam_angvel: Tensor, body_model: nn.Module
    ) -> MotionPrediction:
        """Return the prediction with another velocity; clips of a single frame stay as they are.

        Args:
            prediction (MotionPrediction): Predicted clips.
            cam_angvel (Tensor): Camera rotation between frames in 6D (B, L, 6).
            body_model (nn.Module): The light SMPL-X body.
        """
        if prediction.valid.shape[1] < 2:
            return prediction.replace(x=None)
        R_w, _ = prediction.rollout(cam_angvel)
        joints = body_model.fk_matrices(prediction.body_pose_R, prediction.betas, R_w)
        feet = (joints - joints[..., :1, :])[..., FEET, :]
        height = (feet[:, 1:, :, 1] + feet[:, :-1, :, 1]) / 2
        share = torch.softmax(-height / self.temperature, dim=-1)
        step = -(share[..., None] * feet.diff(dim=1)).sum(dim=-2)
        step = hold_last_valid(step, prediction.valid[:, 1:])
        if self.smoothing:
            step = gaussian_smooth(step, self.smoothing, dim=1)
        step = torch.cat((step, step[:, -1:]), dim=1)
        velocity = (R_w.mT @ step[..., None]).squeeze(-1)
        return prediction.replace(velocity=prediction.velocity.lerp(velocity, self.weight), x=None)
