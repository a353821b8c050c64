"""Agreement of a prediction with detected 2D keypoints, the one term that needs no label."""

from typing import Optional

import torch
from torch import Tensor, nn

from ...core.camera import clamp_depth, project_to_box, to_box_coordinates
from ...core.errors import ConfigError
from ...core.precision import full_precision
from ...registry import MODELS


@MODELS.register_module()
class ReprojectionLoss(nn.Module):
    """Robust distance between projected COCO joints and confident detections.

    Note:
        - B: batch, L: frames.
        - Distances are in box sides, so that near and far people weigh the same. The Geman-McClure
          penalty ``r² / (r² + scale²) * scale²`` is quadratic near zero and bounded for outliers.

    Args:
        confidence (float): Detections at or below it are ignored. Defaults to 0.5.
        scale (float): Residual, in box sides, at which the penalty turns over. Defaults to 0.1.
        loss_weight (float): Defaults to 1.
    """

    def __init__(
        self, confidence: float = 0.5, scale: float = 0.1, loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        if scale <= 0:
            raise ConfigError(f'`scale` of ReprojectionLoss should be positive, got {scale}')
        self.confidence = confidence
        self.scale = scale
        self.loss_weight = loss_weight

    def counts(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return which detections count (B, L, 17), bool; ``inputs`` as :meth:`residual`."""
        visible = inputs['kp2d'][..., 2] > self.confidence
        return visible & (inputs['valid'] & (inputs['bbx_xys'][..., 2] > 0))[..., None]

    def residual(self, coco17_c: Tensor, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return squared distances and which of them count.

        Args:
            coco17_c (Tensor): Predicted COCO joints in the camera (B, L, 17, 3), metres.
            inputs (dict[str, Tensor]): ``kp2d`` (B, L, 17, 3), ``bbx_xys`` (B, L, 3),
                ``K_fullimg`` (B, L, 3, 3) and ``valid`` (B, L).

        Returns:
            tuple[Tensor, Tensor]: Squared distances in box sides (B, L, 17) and a mask (B, L, 17).
        """
        counts = self.counts(inputs)
        has_box = inputs['bbx_xys'][..., 2] > 0
        bbx_xys = torch.where(has_box[..., None], inputs['bbx_xys'], 1.0)
        projected = project_to_box(clamp_depth(coco17_c), inputs['K_fullimg'], bbx_xys)
        detected = to_box_coordinates(inputs['kp2d'][..., :2], bbx_xys)
        difference = torch.where(counts[..., None], projected - detected, 0.0)
        return (difference**2).sum(dim=-1), counts

    @full_precision
    def forward(
        self, coco17_c: Tensor, inputs: dict[str, Tensor], denominator: Optional[Tensor] = None
    ) -> Tensor:
        """Return the mean penalty over confident detections, zero with a graph if there are none.

        Args:
            coco17_c (Tensor): As :meth:`residual`.
            inputs (dict[str, Tensor]): As :meth:`residual`.
            denominator (Tensor, optional): What to divide the sum by. Defaults to None: the number
                of detections that count, at least 1.
        """
        squared, counts = self.residual(coco17_c, inputs)
        penalty = squared / (squared + self.scale**2) * self.scale**2
        if denominator is None:
            denominator = counts.sum().clamp(min=1)
        return self.loss_weight * penalty.sum() / denominator

    @torch.no_grad()
    @full_precision
    def error(
        self, coco17_c: Tensor, inputs: dict[str, Tensor], denominator: Optional[Tensor] = None
    ) -> Tensor:
        """Return the mean distance in box sides, 0 where there is no confident detection.

        Arguments as :meth:`forward`.
        """
        squared, counts = self.residual(coco17_c, inputs)
        if denominator is None:
            denominator = counts.sum().clamp(min=1)
        return squared.sqrt().sum() / denominator
