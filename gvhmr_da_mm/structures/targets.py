"""Supervision of clips: labels of a dataset or fused pseudo-labels."""

from dataclasses import dataclass
from typing import Any, Optional

import torch
from torch import Tensor

from ..core.constants import joint_index
from ..core.conventions import COCO_HIPS
from ..core.rotation import axis_angle_to_matrix
from ..core.small_matrices import small_matmul
from ..core.trajectory import local_velocity
from .motion import MotionPrediction, _PosedRecord, _TensorRecord


@dataclass
class MotionTargets(_PosedRecord):
    """Supervision of a batch of clips, in SMPL-X neutral parameters.

    Attributes:
        body_pose_R (Tensor): Body joint rotations (B, L, 21, 3, 3).
        betas (Tensor): Shape (B, L, 10).
        R_c (Tensor): Root orientation in the camera (B, L, 3, 3).
        transl_c (Tensor): Translation in the camera (B, L, 3), metres.
        R_gv (Tensor): Root orientation in the gravity view (B, L, 3, 3).
        R_w (Tensor): Root orientation in a y-up world (B, L, 3, 3).
        transl_w (Tensor): Translation in that world (B, L, 3), metres.
        velocity (Tensor): Root displacement per frame in the root's own frame (B, L, 3), metres.
        valid (Tensor): Frames that count (B, L), bool.
        camera_only (Tensor): Clips whose world fields are not valid (B,), bool.
        static (Tensor, optional): Contact labels of the six static joints (B, L, 6), bool.
            Defaults to None, contacts by joint speeds of the world motion.
    """

    body_pose_R: Tensor
    betas: Tensor
    R_c: Tensor
    transl_c: Tensor
    R_gv: Tensor
    R_w: Tensor
    transl_w: Tensor
    velocity: Tensor
    valid: Tensor
    camera_only: Tensor
    static: Optional[Tensor] = None

    @property
    def world_valid(self) -> Tensor:
        """Frames (B, L) whose world fields count, bool."""
        return self.valid & ~self.camera_only[:, None]

    @classmethod
    def from_labels(
        cls, labels: dict[str, Tensor], valid: Tensor, camera_only: Tensor
    ) -> 'MotionTargets':
        """Build targets from labels of a dataset.

        Args:
            labels (dict[str, Tensor]): Stacked ``gt_instances`` of the training clips:
                ``body_pose`` (B, L, 63), ``betas`` (B, L, 10), ``global_orient_c``, ``transl_c``,
                ``global_orient_w``, ``transl_w`` (B, L, 3) and ``R_c2gv`` (B, L, 3, 3).
            valid (Tensor): Frames that exist (B, L), bool.
            camera_only (Tensor): Clips without valid world labels (B,), bool.
        """
        R_c = axis_angle_to_matrix(labels['global_orient_c'])
        R_w = axis_angle_to_matrix(labels['global_orient_w'])
        return cls(
            body_pose_R=axis_angle_to_matrix(labels['body_pose'].unflatten(-1, (-1, 3))),
            betas=labels['betas'],
            R_c=R_c,
            transl_c=labels['transl_c'],
            R_gv=small_matmul(labels['R_c2gv'], R_c),
            R_w=R_w,
            transl_w=labels['transl_w'],
            velocity=local_velocity(R_w, labels['transl_w']),
            valid=valid,
            camera_only=camera_only,
        )

    @classmethod
    def from_prediction(
        cls, prediction: MotionPrediction, cam_angvel: Tensor, keep: Tensor
    ) -> 'MotionTargets':
        """Build targets from fused pseudo-labels.

        Args:
            prediction (MotionPrediction): The fused pseudo-label, without graph.
            cam_angvel (Tensor): Camera rotation between frames in 6D (B, L, 6).
            keep (Tensor): Samples (B,) or frames (B, L) to train on, bool; the others are not
                valid in the targets.
        """
        R_w, transl_w = prediction.rollout(cam_angvel)
        keep = keep if keep.ndim == 2 else keep[:, None]
        return cls(
            body_pose_R=prediction.body_pose_R,
            betas=prediction.betas,
            R_c=prediction.R_c,
            transl_c=prediction.transl_c,
            R_gv=prediction.R_gv,
            R_w=R_w,
            transl_w=transl_w,
            velocity=prediction.velocity,
            valid=prediction.valid & keep,
            camera_only=torch.zeros_like(keep[:, 0]),
            static=prediction.static_logits > 0,
        )


@dataclass
class BodyTargets(_TensorRecord):
    """Joints and vertices of :class:`MotionTargets`.

    Attributes:
        coco17_c (Tensor): COCO joints in the camera (B, L, 17, 3), metres.
        verts437_c (Tensor): Vertices in the camera (B, L, 437, 3), metres.
        verts437_cr (Tensor): The vertices relative to the mid-hip (B, L, 437, 3).
    """

    coco17_c: Tensor
    verts437_c: Tensor
    verts437_cr: Tensor

    @classmethod
    @torch.no_grad()
    def from_motion(cls, body_model: Any, motion: MotionTargets) -> 'BodyTargets':
        """Pose a :class:`SMPLXLight` with the target motion."""
        body = body_model.light_matrices(*motion.camera_pose)
        return cls(body.coco17, body.verts437, relative_to_hips(body.verts437, body.coco17))


def relative_to_hips(points: Tensor, coco17: Tensor) -> Tensor:
    """Express points (..., V, 3) relative to the middle of the COCO hips of ``coco17``."""
    return points - coco17[..., joint_index(COCO_HIPS, coco17), :].mean(dim=-2, keepdim=True)
