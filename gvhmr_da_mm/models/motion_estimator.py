"""Interface of motion estimators for refinement and test time."""

from typing import Protocol

from torch import Tensor, nn

from ..structures import MotionPrediction


class MotionEstimator(Protocol):
    """Interface of a model that predicts motion, such as :class:`GVHMR`.

    Attributes:
        body_model (nn.Module): The light SMPL-X body.
        motion_codec (nn.Module): Holds ``std``, the deviations of the motion vector (151).
    """

    body_model: nn.Module
    motion_codec: nn.Module

    def infer(self, inputs: dict[str, Tensor]) -> MotionPrediction:
        """Predict a batch of clips."""

    def coco_joints(self, prediction: MotionPrediction) -> Tensor:
        """Return the COCO joints (B, L, 17, 3) of a prediction in the camera, metres."""
