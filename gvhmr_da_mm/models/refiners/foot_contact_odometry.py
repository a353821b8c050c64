"""Foot-contact odometry: the world trajectory that keeps the standing foot in place."""

import math
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...core.conventions import FOOT_JOINTS, FPS
from ...core.errors import ConfigError
from ...core.filtering import gaussian_smooth, hold_last_valid
from ...registry import MODELS
from ...structures import MotionPrediction

FOOT_SMOOTHING = 2.0
"""Sigma in frames over the feet's velocities before they are compared with the root's."""
ROOT_SMOOTHING = 10.0
"""Sigma in frames over the root's velocity, which changes slowly: about a step of a walk."""
ANNEALING = (2.0, 1.4, 1.0, 1.0)
"""Multiples of the tolerance in each iteration."""


@MODELS.register_module()
class FootContactOdometry:
    """Replace the predicted root velocity by the one that keeps the standing foot in place.

    Real video has no supervision of world velocities, but poses fitted to its keypoints imply them:
    the root moves as the standing foot moves under the pelvis. A foot stands if it is low, and if
    the velocity that it implies agrees with that of the root; no contact has to be predicted. By
    their heights alone both feet of an uncertain pose would count, and their mean is no motion at
    all. Where no foot agrees, as in the air, the predicted velocity is kept. The feet that agree
    with the trajectory are also more likely to be in contact than the network predicts, and the
    others less, for the steps that follow.

    Note:
        - B: batch, L: frames.

    Args:
        temperature (float): Difference in height, m, at which a foot counts 1/e of the lowest one.
            Defaults to 0.05.
        tolerance (float, optional): Standard deviation, m/s, of the velocity that a standing foot
            implies from that of the root. Defaults to 0.5. None: feet count by their height alone,
            for networks whose velocities are worth nothing.
        doubt (float): Weight of the predicted velocity, where both feet together have at most 1.
            Defaults to 0.03; not used without ``tolerance``.
        smoothing (float): Gaussian sigma, frames, over the resulting velocity in the world; 0 for
            none. Defaults to 5.
        weight (float): Weight, in [0, 1], of that velocity against the predicted one. Defaults to
            1.
        contact (float): Added to the contact logit of the lowest foot if it moves as the root;
            less by its height and deviation otherwise. Defaults to 2; not used without
            ``tolerance``.

    Raises:
        ConfigError: If ``temperature``, ``tolerance`` or ``doubt`` is not positive, ``smoothing``
            is negative or ``weight`` out of range.

    Source: legged odometry; GVHMR (Sec. 3.3) corrects its trajectories by joints that the network
    predicts to be static.
    """

    def __init__(
        self,
        temperature: float = 0.05,
        tolerance: Optional[float] = 0.5,
        doubt: float = 0.03,
        smoothing: float = 5.0,
        weight: float = 1.0,
        contact: float = 2.0,
    ) -> None:
        positive = (temperature, doubt) if tolerance is None else (temperature, tolerance, doubt)
        if min(positive) <= 0 or smoothing < 0 or not 0 <= weight <= 1:
            raise ConfigError(
                'FootContactOdometry needs `temperature`, `tolerance` (or None) and `doubt` > 0, '
                f'`smoothing` >= 0 and 0 <= `weight` <= 1, got {temperature}, {tolerance}, {doubt},'
                f' {smoothing} and {weight}'
            )
        self.temperature = temperature
        self.tolerance = tolerance
        self.doubt = doubt
        self.smoothing = smoothing
        self.weight = weight
        self.contact = contact

    @torch.no_grad()
    def __call__(
        self, prediction: MotionPrediction, cam_angvel: Tensor, body_model: nn.Module
    ) -> MotionPrediction:
        """Return the prediction with another velocity, and contacts that agree with it.

        Clips of a single frame stay as they are.

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
        predicted = (R_w @ prediction.velocity[..., None]).squeeze(-1)[:, :-1]
        # Padding would reach the last frames by the smoothing.
        height, implied, predicted = (
            hold_last_valid(x, prediction.valid[:, 1:])
            for x in (height, -feet.diff(dim=1), predicted)
        )
        lowness = (-height / self.temperature).log_softmax(dim=-1)
        slow = gaussian_smooth(implied, FOOT_SMOOTHING, dim=1)
        step = self._step(lowness, implied, slow, predicted)
        step = gaussian_smooth(step, self.smoothing, dim=1) if self.smoothing else step
        logits = prediction.static_logits
        if self.tolerance is not None:
            to_lowest = lowness - lowness.amax(dim=-1, keepdim=True)
            evidence = self.contact + to_lowest - self._surprise(slow, step, self.tolerance)
            # The other static joints are no feet.
            evidence = F.pad(evidence, (0, logits.shape[-1] - evidence.shape[-1]))
            logits = logits + _for_last_frame(evidence)
        velocity = (R_w.mT @ _for_last_frame(step)[..., None]).squeeze(-1)
        velocity = prediction.velocity.lerp(velocity, self.weight)
        return prediction.replace(velocity=velocity, static_logits=logits, x=None)

    def _step(self, lowness: Tensor, implied: Tensor, slow: Tensor, predicted: Tensor) -> Tensor:
        """Return the steps of the root (B, L-1, 3), metres.

        Args:
            lowness (Tensor): Log-weight of each foot joint by its height (B, L-1, 4).
            implied (Tensor): Step of the root if that joint stands (B, L-1, 4, 3), metres.
            slow (Tensor): The same, smoothed.
            predicted (Tensor): Step of the network (B, L-1, 3), metres.
        """
        if self.tolerance is None:
            return (lowness.exp()[..., None] * implied).sum(dim=-2)
        options = torch.cat((implied, predicted[..., None, :]), dim=-2)
        step = predicted
        # The feet correct a wrong velocity of the network, which then selects the feet better. At
        # first it selects mildly, as it may be far off.
        for factor in ANNEALING:
            root = gaussian_smooth(step, ROOT_SMOOTHING, dim=1)
            share = lowness - self._surprise(slow, root, factor * self.tolerance)
            share = F.pad(share, (0, 1), value=math.log(self.doubt)).softmax(dim=-1)
            step = (share[..., None] * options).sum(dim=-2)
        return step

    @staticmethod
    def _surprise(implied: Tensor, root: Tensor, tolerance: float) -> Tensor:
        """Return by how much the steps of feet (B, L-1, 4, 3) disagree with the root's."""
        deviation = FPS * (implied - root[..., None, :]).norm(dim=-1) / tolerance
        return deviation.square() / 2


def _for_last_frame(steps: Tensor) -> Tensor:
    """Return values of the steps (B, L-1, ...) for all frames (B, L, ...)."""
    return torch.cat((steps, steps[:, -1:]), dim=1)
