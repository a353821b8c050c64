"""Unsupervised loss on the world trajectory: static joints do not move."""

import torch
from torch import Tensor, nn

from ...core.constants import joint_index
from ...core.conventions import FPS, STATIC_JOINTS
from ...core.errors import ConfigError
from ...core.postprocess import agreed_contacts
from ...core.precision import full_precision
from ...core.small_matrices import small_matvec
from ...registry import MODELS
from ...structures import MotionPrediction
from ..across_ranks import mean_denominator
from .loss_weight import check_loss_weight


@MODELS.register_module()
class ContactConsistencyLoss(nn.Module):
    """World speed of the joints that the network itself predicts to be static.

    As at test time a contact counts only as far as the joint is slow already
    (:func:`.agreed_contacts`). Of a network that is unsure of contacts, swinging feet would pull
    the velocity of a walk to zero.

    Only the root's velocity gets a gradient; static probabilities, pose and orientation do not.
    (With a gradient to the pose the camera-space error rises, as a body that does not move at all
    satisfies the term best.)

    Note:
        - B: batch, L: frames.

    Args:
        probability (float): Joints with a static probability above it count, by their probability.
            Defaults to 0.5.
        contact_tolerance (float): Standard deviation, m/s, of the speed of a static joint in the
            predicted world. Defaults to 0.5.
        loss_weight (float): Defaults to 0.3.

    Raises:
        ConfigError: If ``probability`` is not in [0, 1), ``contact_tolerance`` is not positive, or
            the weight is negative.
    """

    def __init__(
        self, probability: float = 0.5, contact_tolerance: float = 0.5, loss_weight: float = 0.3
    ) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise ConfigError(
                f'`probability` of ContactConsistencyLoss should be in [0, 1), got {probability}'
            )
        if contact_tolerance <= 0:
            raise ConfigError(
                '`contact_tolerance` of ContactConsistencyLoss should be positive, got '
                f'{contact_tolerance}'
            )
        self.probability = probability
        self.contact_tolerance = contact_tolerance
        self.loss_weight = check_loss_weight(self, loss_weight)

    @full_precision
    def forward(
        self, prediction: MotionPrediction, inputs: dict[str, Tensor], body_model: nn.Module
    ) -> Tensor:
        """Return the mean speed of static joints in m/s, zero with a graph if there are none.

        Args:
            prediction (MotionPrediction): With graph.
            inputs (dict[str, Tensor]): ``cam_angvel`` (B, L, 6).
            body_model (nn.Module): The light SMPL-X body.
        """
        fixed = prediction.detach()
        with torch.no_grad():
            R_w, transl_w = fixed.rollout(inputs['cam_angvel'])
            joints = body_model.fk_matrices(fixed.body_pose_R, fixed.betas, R_w, transl_w)
            around_root = joints - joints[..., :1, :]
            around_root = around_root[..., joint_index(STATIC_JOINTS, joints), :]
            turned = around_root[:, 1:] - around_root[:, :-1]
            logits = agreed_contacts(
                fixed.static_logits, joints, self.contact_tolerance, fixed.valid
            )
            probability = logits.sigmoid()[:, :-1]
            both = prediction.valid[:, 1:] & prediction.valid[:, :-1]
            counts = (probability > self.probability) & both[..., None]
            weight = torch.where(counts, probability, 0.0)
        root_step = small_matvec(R_w[:, :-1], prediction.velocity[:, :-1])
        speed = (root_step[..., None, :] + turned).norm(dim=-1) * FPS
        # Padding may hold NaN.
        speed = torch.where(counts, speed, 0.0)
        return self.loss_weight * (speed * weight).sum() / mean_denominator(weight.sum())
