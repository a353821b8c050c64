"""True motion made wrong by a known amount, for the discriminator to tell from true motion."""

from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.checks import check_shape
from ...core.errors import ConfigError
from ...core.layout import NUM_BODY_JOINTS, SMPL_BODY_POSE
from ...registry import MODELS

LIMBS = (
    (0, 3, 6, 9),  # left leg
    (1, 4, 7, 10),  # right leg
    (2, 5, 8),  # spine
    (11, 14),  # neck and head
    (12, 15, 17, 19),  # left arm
    (13, 16, 18, 20),  # right arm
)
"""Body joints (without the root) that an exchange moves together."""
WAVE_PERIODS = (15, 60)


@MODELS.register_module()
class MotionCorruption:
    """Corrupt motion as a wrong prediction is wrong: in some joints, smoothly in time.

    A discriminator that sees predictions of a few real clips learns what these clips show rather
    than how good they are. Corrupted true motion has the content of true motion, and it is known
    how wrong it is, so the fake's target is ``exp(-deviation / scale)`` instead of 0.

    Note:
        - B: batch, L: frames.

    Args:
        max_angle (float): Largest standard deviation of the added rotation vectors, rad; each clip
            draws its own. Defaults to 0.5.
        exchange_prob (float): Probability that a clip takes over limbs from another one of the
            batch. Defaults to 0.5.
        limb_prob (float): Probability of each limb then. Defaults to 0.4.
        scale (float, optional): Mean deviation of a joint, rad, whose target is 1/e; None for
            targets of 0. Defaults to 0.15.

    Raises:
        ConfigError: If a value is out of range.
    """

    def __init__(
        self,
        max_angle: float = 0.5,
        exchange_prob: float = 0.5,
        limb_prob: float = 0.4,
        scale: Optional[float] = 0.15,
    ) -> None:
        if max_angle <= 0 or (scale is not None and scale <= 0):
            raise ConfigError(
                f'`max_angle` and `scale` of MotionCorruption should be positive, got {max_angle} '
                f'and {scale}'
            )
        if not (0 <= exchange_prob <= 1 and 0 <= limb_prob <= 1):
            raise ConfigError(
                '`exchange_prob` and `limb_prob` of MotionCorruption should be in [0, 1], got '
                f'{exchange_prob} and {limb_prob}'
            )
        self.max_angle = max_angle
        self.exchange_prob = exchange_prob
        self.limb_prob = limb_prob
        self.scale = scale

    @torch.no_grad()
    def __call__(self, body_pose: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Corrupt clips.

        Args:
            body_pose (Tensor): True motion (B, L, 69), rad.
            valid (Tensor): Frames that exist (B, L), bool.

        Returns:
            tuple[Tensor, Tensor]: Corrupted motion (B, L, 69) and the scores it deserves (B,).
        """
        shape = check_shape(body_pose, f'B L {SMPL_BODY_POSE}', name='body_pose')
        check_shape(valid, 'B L', name='valid', **shape)
        joints, rest = body_pose.split((3 * NUM_BODY_JOINTS, 9 - 3), dim=-1)
        true = joints.unflatten(-1, (NUM_BODY_JOINTS, 3))
        wrong = self._exchange(true) + self._drift(true)
        deviation = (wrong - true).norm(dim=-1).mean(dim=-1)
        deviation = deviation.masked_fill(~valid, 0).sum(dim=1) / valid.sum(dim=1).clamp(min=1)
        target = torch.zeros_like(deviation)
        if self.scale is not None:
            target = torch.exp(-deviation / self.scale)
        return torch.cat((wrong.flatten(-2), rest), dim=-1), target

    def _exchange(self, joints: Tensor) -> Tensor:
        """Take limbs (B, L, 21, 3) from other clips."""
        batch = len(joints)
        other = joints[torch.randperm(batch, device=joints.device)]
        chosen = torch.rand(batch, 1, device=joints.device) < self.exchange_prob
        chosen = chosen & (torch.rand(batch, len(LIMBS), device=joints.device) < self.limb_prob)
        mask = chosen.new_zeros(batch, NUM_BODY_JOINTS)
        for index, limb in enumerate(LIMBS):
            mask[:, list(limb)] = chosen[:, index : index + 1]
        return torch.where(mask[:, None, :, None], other, joints)

    def _drift(self, joints: Tensor) -> Tensor:
        """Draw smooth deviations (B, L, 21, 3) of some of the joints."""
        batch, length = joints.shape[:2]

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, device=joints.device, dtype=joints.dtype)

        waves = torch.zeros_like(joints)
        for period in WAVE_PERIODS:
            knots = torch.randn(
                batch, joints[0, 0].numel(), length // period + 2, device=joints.device
            )
            wave = F.interpolate(knots, size=length, mode='linear', align_corners=True)
            waves = waves + wave.mT.unflatten(-1, joints.shape[2:]).to(joints)
        waves = waves / len(WAVE_PERIODS) ** 0.5
        some = uniform(batch, 1, NUM_BODY_JOINTS, 1) < uniform(batch, 1, 1, 1)
        return waves * some * uniform(batch, 1, 1, 1) * self.max_angle
