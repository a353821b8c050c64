"""Supervised losses of GVHMR (Sec. 3.4), for labels and pseudo-labels."""

from torch import Tensor

from ...body_models import LightBody
from ...core.errors import ConfigError
from ...registry import MODELS
from ...structures import BodyTargets, MotionPrediction, MotionTargets
from ...structures.targets import relative_to_hips
from .base_motion_loss import BaseMotionLoss, root_relative


@MODELS.register_module()
class GVHMRLoss(BaseMotionLoss):
    """Eight terms between a prediction and its targets.

    Args:
        simple (float): Weight of the MSE of the normalised motion vector. Defaults to 1.
        cr_j3d (float): Root-relative joints in the camera, MSE. Defaults to 500.
        transl_c (float): Weak-perspective camera, MSE. Defaults to 1.
        j2d (float): Projected joints in box coordinates, MSE. Defaults to 1000.
        cr_verts (float): Vertices relative to the mid-hip, MSE. Defaults to 500.
        verts2d (float): Projected vertices in box coordinates, MSE. Defaults to 1000.
        transl_w (float): World trajectory rolled out from velocities, L1. Defaults to 1.
        static_conf (float): Static joints, binary cross-entropy. Defaults to 1.
        normalize_by_valid (bool): Average over valid frames only. Defaults to False.

    Raises:
        ConfigError: If a weight is negative, or the body has no vertices.
    """

    def __init__(
        self,
        simple: float = 1.0,
        cr_j3d: float = 500.0,
        transl_c: float = 1.0,
        j2d: float = 1000.0,
        cr_verts: float = 500.0,
        verts2d: float = 1000.0,
        transl_w: float = 1.0,
        static_conf: float = 1.0,
        normalize_by_valid: bool = False,
    ) -> None:
        weights = dict(
            simple=simple,
            cr_j3d=cr_j3d,
            transl_c=transl_c,
            j2d=j2d,
            cr_verts=cr_verts,
            verts2d=verts2d,
            transl_w=transl_w,
            static_conf=static_conf,
        )
        super().__init__(weights, normalize_by_valid)

    def _body_terms(
        self,
        prediction: MotionPrediction,
        targets: MotionTargets,
        pred_joints: Tensor,
        joints: Tensor,
        body: LightBody,
        body_targets: BodyTargets,
        inputs: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        if not body.verts437.shape[-2]:
            raise ConfigError(
                'GVHMRLoss compares vertices, and the body has none: set '
                '`body_model.vertices=True` of the model, or use RobustGVHMRLoss'
            )
        valid, seen = targets.valid, targets.world_valid
        pred_verts_cr = relative_to_hips(body.verts437, body.coco17)
        return dict(
            cr_j3d=self._mean((root_relative(pred_joints) - root_relative(joints)) ** 2, valid),
            j2d=self._projected(pred_joints, joints, seen, inputs),
            cr_verts=self._mean((pred_verts_cr - body_targets.verts437_cr) ** 2, valid),
            verts2d=self._projected(body.verts437, body_targets.verts437_c, seen, inputs),
        )

    def _projected(
        self, points: Tensor, target_points: Tensor, mask: Tensor, inputs: dict[str, Tensor]
    ) -> Tensor:
        """MSE of projected points in box coordinates, where both are visible."""
        projected, target, counts = self._box_points(points, target_points, mask, inputs)
        return self._mean((projected - target) ** 2, counts)
