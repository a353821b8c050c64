"""Supervised losses for networks that see keypoints alone."""

import torch
from torch import Tensor

from ...body_models import LightBody
from ...core.gravity_view import gravity_in_camera
from ...registry import MODELS
from ...structures import BodyTargets, MotionPrediction, MotionTargets
from ...structures.targets import relative_to_hips
from .base_motion_loss import BaseMotionLoss, root_relative

JOINT_SCALE = 0.01
"""Metres; smaller errors of joints count by their square."""
BOX_SCALE = 0.005
"""Sides of the box; the same for projected joints."""
DIRECTION_SCALE = 0.01
"""Radians; the same for the direction of gravity."""
MAX_BOX_ERROR = 1.0
"""Sides of the box; projections close to the camera plane are anywhere."""


@MODELS.register_module()
class RobustGVHMRLoss(BaseMotionLoss):
    """Seven terms between a prediction and its targets, with distances in place of squares.

    Keypoints alone leave some frames ambiguous; squares let these decide the gradient. Joints of
    the skeleton and of COCO stand for the surface, so that a body without vertices
    (``SMPLXLight(vertices=False)``) is enough. Gravity has a term of its own.

    Note:
        Distances are ``sqrt(d ** 2 + s ** 2) - s``, with a small scale s. Masks as in
        :class:`.BaseMotionLoss`.

    Args:
        simple (float): Weight of the MSE of the normalised motion vector. Defaults to 0.2.
        cr_j3d (float): Joints in the camera, relative to the root or the mid-hip; metres. Defaults
            to 20.
        transl_c (float): Weak-perspective camera, MSE. Defaults to 1.
        j2d (float): Projected joints in box coordinates. Defaults to 20.
        transl_w (float): World trajectory rolled out from velocities, L1. Defaults to 1.
        static_conf (float): Static joints, binary cross-entropy. Defaults to 1.
        gravity (float): Unit vector of gravity in the camera. Defaults to 10.
        normalize_by_valid (bool): Average over valid frames only. Defaults to False.
    """

    def __init__(
        self,
        simple: float = 0.2,
        cr_j3d: float = 20.0,
        transl_c: float = 1.0,
        j2d: float = 20.0,
        transl_w: float = 1.0,
        static_conf: float = 1.0,
        gravity: float = 10.0,
        normalize_by_valid: bool = False,
    ) -> None:
        weights = dict(
            simple=simple,
            cr_j3d=cr_j3d,
            transl_c=transl_c,
            j2d=j2d,
            transl_w=transl_w,
            static_conf=static_conf,
            gravity=gravity,
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
        sides = (pred_joints, body.coco17), (joints, body_targets.coco17_c)
        pred_points, points = (torch.cat(side, dim=-2) for side in sides)
        pred_shape, shape = (
            torch.cat((root_relative(skeleton), relative_to_hips(coco, coco)), dim=-2)
            for skeleton, coco in sides
        )
        gravities = (gravity_in_camera(motion.R_gv, motion.R_c) for motion in (prediction, targets))
        return dict(
            cr_j3d=self._mean(_distance(pred_shape, shape, JOINT_SCALE), targets.valid),
            j2d=self._projected(pred_points, points, targets.world_valid, inputs),
            gravity=self._mean(_distance(*gravities, DIRECTION_SCALE), targets.world_valid),
        )

    def _projected(
        self, points: Tensor, target_points: Tensor, mask: Tensor, inputs: dict[str, Tensor]
    ) -> Tensor:
        """Mean distance of projected points in box coordinates, where both are visible."""
        pred, target, counts = self._box_points(points, target_points, mask, inputs)
        return self._mean(_distance(pred, target, BOX_SCALE).clamp(max=MAX_BOX_ERROR), counts)


def _distance(pred: Tensor, target: Tensor, scale: float) -> Tensor:
    """Distances (...) of vectors (..., D), smooth at zero."""
    return ((pred - target).square().sum(dim=-1) + scale**2).sqrt() - scale
