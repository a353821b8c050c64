"""Views with the errors of a keypoint detector: noisy and missing keypoints."""

from typing import Any, Optional

import torch

from ...core.checks import check_at_least
from ...core.layout import NUM_COCO
from ...registry import TRANSFORMS
from .base_view import BaseView
from .functional import Inputs, check_probability, clip_size, rand, randn


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
        check_at_least(0, jitter=jitter, bias=bias)
        self.jitter, self.bias = float(jitter), float(bias)

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Move the keypoints of a batch; their scores stay."""
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
        """Set keypoint scores of a batch to zero."""
        batch, length = clip_size(inputs)
        hidden = rand((batch, length, NUM_COCO), inputs['kp2d'], generator) < self.prob
        kp2d = inputs['kp2d'].clone()
        kp2d[..., 2] = kp2d[..., 2].masked_fill(hidden, 0)
        return dict(inputs, kp2d=kp2d), {}
