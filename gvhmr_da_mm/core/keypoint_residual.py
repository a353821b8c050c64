"""Residual of 2D keypoints: projected joints of a body against detections."""

from typing import NamedTuple

import torch
from torch import Tensor

from .camera import clamp_depth, project_to_box, to_box_coordinates
from .precision import full_precision

MIN_KEYPOINT_SCORE = 0.5
"""Detections at or below this score do not count, unless a caller says otherwise."""


class KeypointResidual(NamedTuple):
    """Distances of projected joints from detections, and which of them count.

    Attributes:
        squared (Tensor): Squared distances in box sides (B, L, 17), with graph; 0 where no
            detection counts.
        valid (Tensor): Which detections count (B, L, 17), bool.
    """

    squared: Tensor
    valid: Tensor

    @property
    def distance(self) -> Tensor:
        """Distances in box sides (B, L, 17), without graph."""
        return self.squared.detach().sqrt()


def valid_detections(inputs: dict[str, Tensor], min_keypoint_score: float) -> Tensor:
    """Return which detections count (B, L, 17), bool.

    Args:
        inputs (dict[str, Tensor]): As for :func:`keypoint_residual`.
        min_keypoint_score (float): Detections at or below this score do not count.
    """
    confident = inputs['kp2d'][..., 2] > min_keypoint_score
    return confident & (inputs['valid'] & (inputs['bbx_xys'][..., 2] > 0))[..., None]


@full_precision
def keypoint_residual(
    coco17_c: Tensor, inputs: dict[str, Tensor], min_keypoint_score: float = MIN_KEYPOINT_SCORE
) -> KeypointResidual:
    """Project COCO joints and compare them with detections, as shares of the box's side.

    Args:
        coco17_c (Tensor): Predicted COCO joints in the camera (B, L, 17, 3), metres.
        inputs (dict[str, Tensor]): ``kp2d`` (B, L, 17, 3), ``bbx_xys`` (B, L, 3), ``K_fullimg``
            (B, L, 3, 3) and ``valid`` (B, L).
        min_keypoint_score (float): Detections at or below this score do not count; they may hold
            any values. Defaults to 0.5.
    """
    valid = valid_detections(inputs, min_keypoint_score)
    has_box = inputs['bbx_xys'][..., 2] > 0
    bbx_xys = torch.where(has_box[..., None], inputs['bbx_xys'], 1.0)
    projected = project_to_box(clamp_depth(coco17_c), inputs['K_fullimg'], bbx_xys)
    detected = to_box_coordinates(inputs['kp2d'][..., :2], bbx_xys)
    difference = torch.where(valid[..., None], projected - detected, 0.0)
    return KeypointResidual((difference**2).sum(dim=-1), valid)
