"""Foot-contact odometry: the world trajectory that keeps the lowest foot in place."""

import torch
from torch import Tensor, nn

from ...core.conventions import FOOT_JOINTS
from ...core.errors import ConfigError
from ...core.filtering import gaussian_smooth, hold_last_valid
from ...registry import MODELS
from ...structures import MotionPrediction


@MODELS.register_module()
class FootContactOdometry:
    """Average the predicted root velocity with the one that keeps the lowest foot in place.

    Real video has no supervision of world velocities, but poses fitted to its keypoints imply them:
    the root moves as the standing foot moves under the pelvis. Feet are weighted by their height,
    so no contact has to be predicted. In the air the lowest foot does not stand, so that feet
    alone make runs too slow; the mean of both velocities is better than either.

    Note:
        - B: batch, L: frames.

    Args:
        temperature (float): Difference in height, m, at which a foot counts 1/e of the lowest one.
            Defaults to 0.02.
        smoothing (float): Gaussian sigma, frames, over the feet's velocity in the world; 0 for
            none. Defaults to 5.
        weight (float): Weight, in [0, 1], of the feet's velocity against the predicted one.
            Defaults to 0.5.

    Raises:
        ConfigError: If ``temperature`` is not positive, ``smoothing`` is negative or ``weight`` is
            out of range.

    Source: legged odometry; GVHMR (Sec. 3.3) corrects its trajectories by joints that the network
    predicts to be static.
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
        feet = (joints - joints[..., :1, :])[..., FOOT_JOINTS, :]
        height = (feet[:, 1:, :, 1] + feet[:, :-1, :, 1]) / 2
        share = torch.softmax(-height / self.temperature, dim=-1)
        step = -(share[..., None] * feet.diff(dim=1)).sum(dim=-2)
        step = hold_last_valid(step, prediction.valid[:, 1:])
        if self.smoothing:
            step = gaussian_smooth(step, self.smoothing, dim=1)
        step = torch.cat((step, step[:, -1:]), dim=1)
        velocity = (R_w.mT @ step[..., None]).squeeze(-1)
        return prediction.replace(velocity=prediction.velocity.lerp(velocity, self.weight), x=None)
