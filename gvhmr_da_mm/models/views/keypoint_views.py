"""A detector's errors: keypoints that jitter, vanish or are hidden for a while."""

from collections.abc import Sequence
from typing import Any, Optional

import torch

from ...core.conventions import COCO_JOINT_NAMES
from ...core.errors import ConfigError
from ...core.layout import NUM_COCO
from ...registry import TRANSFORMS
from .base_view import BaseView
from .functional import Inputs, check_not_negative, check_probability, clip_size, rand, randn

LIMBS = {
    'head': ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear'),
    'left_arm': ('left_elbow', 'left_wrist'),
    'right_arm': ('right_elbow', 'right_wrist'),
    'left_leg': ('left_knee', 'left_ankle'),
    'right_leg': ('right_knee', 'right_ankle'),
    'legs': ('left_knee', 'right_knee', 'left_ankle', 'right_ankle'),
    'lower_body': tuple(COCO_JOINT_NAMES[11:]),
}
"""Groups of COCO joints that furniture, walls or the image border hide together."""


def _hide(inputs: Inputs, hidden: torch.Tensor) -> Inputs:
    """Return the inputs with confidence 0 where ``hidden`` (B, L, 17)."""
    kp2d = inputs['kp2d'].clone()
    kp2d[..., 2] = kp2d[..., 2].masked_fill(hidden, 0)
    return dict(inputs, kp2d=kp2d)


@TRANSFORMS.register_module()
class KeypointJitter(BaseView):
    """Add noise to keypoints, relative to the side of the box. Nothing to undo.

    Args:
        jitter (float): Standard deviation per frame and joint, share of the side. Defaults to 0.01.
        bias (float): Standard deviation per clip and joint, share of the side. Defaults to 0.

    Raises:
        ConfigError: If a value is negative.
    """

    def __init__(self, jitter: float = 0.01, bias: float = 0.0) -> None:
        self.jitter = check_not_negative(jitter, 'jitter')
        self.bias = check_not_negative(bias, 'bias')

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Move the keypoints of a batch; confidences stay."""
        batch, length = clip_size(inputs)
        kp2d = inputs['kp2d']
        noise = self.jitter * randn((batch, length, NUM_COCO, 2), kp2d, generator)
        noise = noise + self.bias * randn((batch, 1, NUM_COCO, 2), kp2d, generator)
        xy = kp2d[..., :2] + noise * inputs['bbx_xys'][..., None, 2:]
        return dict(inputs, kp2d=torch.cat((xy, kp2d[..., 2:]), dim=-1)), {}


@TRANSFORMS.register_module()
class KeypointDrop(BaseView):
    """Hide each keypoint of each frame with the same probability. Nothing to undo.

    Args:
        prob (float): Probability. Defaults to 0.1.

    Raises:
        ConfigError: If it is not in [0, 1].
    """

    def __init__(self, prob: float = 0.1) -> None:
        self.prob = check_probability(prob, 'prob')

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Set confidences of a batch to zero."""
        batch, length = clip_size(inputs)
        hidden = rand((batch, length, NUM_COCO), inputs['kp2d'], generator) < self.prob
        return _hide(inputs, hidden), {}


@TRANSFORMS.register_module()
class KeypointOcclusion(BaseView):
    """Hide one part of the body for a span of frames. Nothing to undo.

    Args:
        prob (float): Probability per clip. Defaults to 0.5.
        min_frames (int): Shortest span. Defaults to 10.
        max_frames (int): Longest span; it may reach beyond the clip. Defaults to 60.
        parts (Sequence[str]): Names in :data:`LIMBS` to draw from. Defaults to all.

    Raises:
        ConfigError: If a part is unknown or a number impossible.
    """

    def __init__(
        self,
        prob: float = 0.5,
        min_frames: int = 10,
        max_frames: int = 60,
        parts: Sequence[str] = tuple(LIMBS),
    ) -> None:
        unknown = sorted(set(parts) - set(LIMBS))
        if unknown or not parts:
            raise ConfigError(f'`parts` should be some of {tuple(LIMBS)}, got {tuple(parts)}')
        if not 1 <= min_frames <= max_frames:
            raise ConfigError(
                '`min_frames` and `max_frames` should satisfy 1 <= min <= max, got '
                f'{min_frames} and {max_frames}'
            )
        self.prob = check_probability(prob, 'prob')
        self.min_frames = min_frames
        self.max_frames = max_frames
        self.parts = tuple(parts)

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Set confidences of a batch to zero."""
        batch, length = clip_size(inputs)
        kp2d = inputs['kp2d']
        members = torch.tensor(
            [[name in LIMBS[part] for name in COCO_JOINT_NAMES] for part in self.parts],
            device=kp2d.device,
        )
        event, part, span, start = rand((4, batch), kp2d, generator)
        part = (part * len(self.parts)).long().clamp(max=len(self.parts) - 1)
        span = self.min_frames + (span * (self.max_frames - self.min_frames + 1)).floor()
        frames = inputs['valid'].sum(dim=1) if 'valid' in inputs else length
        # Any frame may be the first one hidden, so every part of the clip is equally exposed.
        start = ((start * (frames + span - 1)).floor() - span + 1)[:, None]
        frame = torch.arange(length, device=kp2d.device)
        during = (frame >= start) & (frame < start + span[:, None]) & (event < self.prob)[:, None]
        return _hide(inputs, during[..., None] & members[part][:, None]), {}
