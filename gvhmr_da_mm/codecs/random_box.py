"""Person boxes of varying tightness for training."""

from typing import Optional

import torch
from torch import Tensor

from gvhmr_da_mm.core.camera import box_from_points
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.registry import TASK_UTILS


@TASK_UTILS.register_module()
class RandomBox:
    """Fit boxes to points, enlarged and shifted at random as a detector's would be.

    The shift is a share of the slack, the margin that enlarging leaves on each side, so a share
    below one never cuts the person off. One draw serves a whole clip: boxes of a tracked person
    do not jump from frame to frame.

    Note:
        Shape letters: B batch, L frames, N points.

    Args:
        scale (tuple[float, float]): Range of the box size over the tight size. Defaults to
            (1.05, 1.35).
        shift (float): Largest shift in units of the slack, in [0, 1]. Defaults to 0.8.
        per_frame (bool): Draw anew in every frame. Defaults to False.

    Raises:
        ConfigError: If a box could cut the person off.

    Source: GVHMR, Sec. 4.1.
    """

    def __init__(
        self, scale: tuple[float, float] = (1.05, 1.35), shift: float = 0.8, per_frame: bool = False
    ) -> None:
        if not 1 <= scale[0] <= scale[1]:
            raise ConfigError(f'`scale` should be a range above 1, got {scale}')
        if not 0 <= shift <= 1:
            raise ConfigError(f'`shift` should be in [0, 1], got {shift}')
        self.scale = scale
        self.shift = shift
        self.per_frame = per_frame

    def __call__(self, points: Tensor, generator: Optional[torch.Generator] = None) -> Tensor:
        """Draw boxes.

        Args:
            points (Tensor): Pixels (B, L, N, 2) of a person.
            generator (torch.Generator, optional): Source of randomness. Defaults to the global one.

        Returns:
            Tensor: Boxes (B, L, 3), centre and side in pixels.
        """
        tight = box_from_points(points, enlarge=1.0)
        frames = points.shape[1] if self.per_frame else 1
        draw = torch.rand(
            (points.shape[0], frames, 3),
            generator=generator,
            dtype=points.dtype,
            device=points.device,
        )
        scale = self.scale[0] + (self.scale[1] - self.scale[0]) * draw[..., 2:]
        slack = (scale - 1) * tight[..., 2:] / 2
        centre = tight[..., :2] + (2 * draw[..., :2] - 1) * self.shift * slack
        return torch.cat((centre, tight[..., 2:] * scale), dim=-1)
