"""View with a shifted and scaled box, as of an inaccurate detector."""

from typing import Any, Optional

import torch
from torch import Tensor

from ...core.checks import check_at_least
from ...core.errors import ConfigError
from ...registry import TRANSFORMS
from ...structures.motion import MotionPrediction
from .base_view import BaseView
from .functional import Inputs, clip_size, rand, require


@TRANSFORMS.register_module()
class BoxJitter(BaseView):
    """Shift and scale the person's box by one draw per clip.

    Metric camera-space results do not depend on the box, only the weak-perspective camera is
    relative to it. The network's normalisation sets the score of keypoints outside the box to 0.

    Args:
        shift (float): Largest shift along each image axis, as a share of the side. Defaults to 0.1.
        scale (float): Largest change of the side: its factor is drawn log-uniformly between
            ``1 / (1 + scale)`` and ``1 + scale``. Defaults to 0.15.

    Raises:
        ConfigError: If a value is negative or ``shift`` is 1 or more.
    """

    def __init__(self, shift: float = 0.1, scale: float = 0.15) -> None:
        check_at_least(0, shift=shift, scale=scale)
        self.shift, self.scale = float(shift), float(scale)
        if self.shift >= 1:
            raise ConfigError(f'`shift` is a share of the side and should be below 1, got {shift}')

    def apply(
        self, inputs: Inputs, generator: Optional[torch.Generator] = None
    ) -> tuple[Inputs, dict[str, Any]]:
        """Move the boxes of a batch."""
        batch, _ = clip_size(inputs)
        require(inputs, ('bbx_xys',), 'BoxJitter')
        box = inputs['bbx_xys']
        draw = 2 * rand((batch, 1, 3), box, generator) - 1
        centre = box[..., :2] + draw[..., :2] * self.shift * box[..., 2:]
        size = box[..., 2:] * (1 + self.scale) ** draw[..., 2:]
        return dict(inputs, bbx_xys=torch.cat((centre, size), dim=-1)), {}

    def invert(
        self,
        prediction: MotionPrediction,
        state: dict[str, Any],
        inputs: Inputs,
        root_offset: Optional[Tensor] = None,
    ) -> MotionPrediction:
        """Express the weak-perspective camera relative to the original box."""
        return prediction.for_box(inputs['bbx_xys'], inputs['K_fullimg'])
