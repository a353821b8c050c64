"""Supervised losses on pseudo-labels."""

import torch
from torch import Tensor, nn

from ...body_models import LightBody
from ...core.precision import full_precision
from ...registry import MODELS
from ...structures import BodyTargets, MotionPrediction, MotionTargets
from ..estimators import GVHMR
from ..losses import check_loss_weight
from .label_fusion import PseudoLabels


@MODELS.register_module()
class PseudoLabelLoss(nn.Module):
    """Apply a model's supervised losses to pseudo-labels.

    Args:
        world (bool): Whether pseudo-labels supervise the motion in the world, too. Defaults to
            False: labelled clips supervise it better, where there are some.
        loss_weight (float): Weight of all terms together (``real_weight`` of the published
            recipe); 0: no pseudo-label is made. Defaults to 0.5.

    Raises:
        ConfigError: If ``loss_weight`` is negative or not finite.
    """

    def __init__(self, world: bool = False, loss_weight: float = 0.5) -> None:
        super().__init__()
        self.world = world
        self.loss_weight = check_loss_weight(self, loss_weight)

    @full_precision
    def forward(
        self,
        prediction: MotionPrediction,
        body: LightBody,
        labels: PseudoLabels,
        inputs: dict[str, Tensor],
        model: GVHMR,
    ) -> dict[str, Tensor]:
        """Return the ``<term>_loss`` entries of ``model.target_loss``, without ``loss_weight``.

        Exactly zero, with a graph, where no label is kept.

        Args:
            prediction (MotionPrediction): The student's, with graph.
            body (LightBody): Its body.
            labels (PseudoLabels): The supervision.
            inputs (dict[str, Tensor]): The plain inputs.
            model (GVHMR): The student.
        """
        targets = MotionTargets.from_prediction(
            labels.prediction, inputs['cam_angvel'], labels.keep
        )
        # The student's view may leave frames out.
        targets = targets.replace(valid=targets.valid & prediction.valid)
        if not self.world:
            targets = targets.replace(camera_only=torch.ones_like(targets.camera_only))
        body_targets = BodyTargets.from_motion(model.body_model, targets)
        return model.target_loss(prediction, targets, body_targets, inputs, body)
