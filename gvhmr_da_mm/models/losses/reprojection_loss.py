"""Unsupervised loss on the distance of projected joints from detected 2D keypoints."""

from typing import Optional

from torch import Tensor, nn

from ...core.errors import ConfigError
from ...core.keypoint_residual import (
    MIN_KEYPOINT_SCORE,
    KeypointResidual,
    keypoint_residual,
    valid_detections,
)
from ...core.precision import full_precision
from ...registry import MODELS
from .loss_weight import check_loss_weight


@MODELS.register_module()
class ReprojectionLoss(nn.Module):
    """Robust distance between projected COCO joints and confident detections.

    Note:
        - B: batch, L: frames.
        - Distances are in box sides, so that near and far people weigh the same. The Geman-McClure
          penalty ``r² / (r² + scale²) * scale²`` is quadratic near zero and bounded for outliers.

    Args:
        min_keypoint_score (float): Detections at or below this score are ignored. Defaults to 0.5.
        scale (float): Residual, in box sides, at which the penalty levels off. Defaults to 0.1.
        loss_weight (float): Weight in :meth:`forward`. Defaults to 300.

    Raises:
        ConfigError: If ``scale`` is not positive or the weight is negative.
    """

    def __init__(
        self,
        min_keypoint_score: float = MIN_KEYPOINT_SCORE,
        scale: float = 0.1,
        loss_weight: float = 300.0,
    ) -> None:
        super().__init__()
        if scale <= 0:
            raise ConfigError(f'`scale` of ReprojectionLoss should be positive, got {scale}')
        self.min_keypoint_score = min_keypoint_score
        self.scale = scale
        self.loss_weight = check_loss_weight(self, loss_weight)

    def valid_mask(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return the mask of valid detections (B, L, 17); ``inputs`` as for :meth:`residual`."""
        return valid_detections(inputs, self.min_keypoint_score)

    def residual(self, coco17_c: Tensor, inputs: dict[str, Tensor]) -> KeypointResidual:
        """Compare joints with detections; see :func:`keypoint_residual`."""
        return keypoint_residual(coco17_c, inputs, self.min_keypoint_score)

    @full_precision
    def penalty(self, residual: KeypointResidual, denominator: Optional[Tensor] = None) -> Tensor:
        """Return the mean penalty over the valid detections, zero without any.

        Args:
            residual (KeypointResidual): Of :meth:`residual`.
            denominator (Tensor, optional): Divisor of the sum. Defaults to None: the number of
                valid detections, at least 1.
        """
        squared = residual.squared
        penalty = squared / (squared + self.scale**2) * self.scale**2
        return penalty.sum() / _denominator(residual, denominator)

    def forward(self, residual: KeypointResidual, denominator: Optional[Tensor] = None) -> Tensor:
        """Return the weighted :meth:`penalty`, with a graph even if there is no detection."""
        return self.loss_weight * self.penalty(residual, denominator)

    def error(self, residual: KeypointResidual, denominator: Optional[Tensor] = None) -> Tensor:
        """Return the mean distance in box sides, without graph; arguments as :meth:`penalty`."""
        return residual.distance.sum() / _denominator(residual, denominator)


def _denominator(residual: KeypointResidual, denominator: Optional[Tensor]) -> Tensor:
    return residual.valid.sum().clamp(min=1) if denominator is None else denominator
