"""Recovered motion in the camera and in the world."""

from dataclasses import dataclass
from typing import Optional

from torch import Tensor

from ..core.extrinsics import invert_rigid
from ..core.precision import full_precision
from ..core.rotation import matrix_to_axis_angle
from .motion import MotionPrediction, _TensorRecord


@dataclass
class RecoveredMotion(_TensorRecord):
    """A batch of motions in the camera and in the world.

    Attributes:
        body_pose_R (Tensor): Body joint rotations (B, L, 21, 3, 3).
        betas (Tensor): Shape (B, L, 10).
        R_c (Tensor): Root orientation in the camera (B, L, 3, 3).
        transl_c (Tensor): Translation in the camera (B, L, 3), metres.
        R_w (Tensor): Root orientation in the world (B, L, 3, 3), y up.
        transl_w (Tensor): Translation in that world (B, L, 3), metres.
        static_logits (Tensor): Contact logits of the six static joints (B, L, 6).
        valid (Tensor): Frames that exist (B, L), bool.
        body_pose_R_w (Tensor, optional): Body joint rotations in the world, if they differ from
            those in the camera. Defaults to None.
    """

    body_pose_R: Tensor
    betas: Tensor
    R_c: Tensor
    transl_c: Tensor
    R_w: Tensor
    transl_w: Tensor
    static_logits: Tensor
    valid: Tensor
    body_pose_R_w: Optional[Tensor] = None

    @classmethod
    @full_precision
    def from_prediction(
        cls, prediction: MotionPrediction, cam_angvel: Tensor, compat: str = 'correct'
    ) -> 'RecoveredMotion':
        """Roll a prediction out to the world.

        Args:
            prediction (MotionPrediction): Prediction of the network.
            cam_angvel (Tensor): Camera rotation between frames in 6D (B, L, 6).
            compat (str): See :func:`~gvhmr_da_mm.core.trajectory.rollout_world`.
        """
        R_w, transl_w = prediction.rollout(cam_angvel, compat)
        return cls(
            body_pose_R=prediction.body_pose_R,
            betas=prediction.betas,
            R_c=prediction.R_c,
            transl_c=prediction.transl_c,
            R_w=R_w,
            transl_w=transl_w,
            static_logits=prediction.static_logits,
            valid=prediction.valid,
        )

    @full_precision
    def in_world_of(self, T_w2c: Tensor, root_offset: Tensor) -> 'RecoveredMotion':
        """Place the motion in the camera into the world of given cameras.

        Args:
            T_w2c (Tensor): World to camera (B, L, 4, 4), y up, metres.
            root_offset (Tensor): Rest position of the pelvis (B, L, 3), metres.
        """
        T_c2w = invert_rigid(T_w2c)
        R_c2w, centre = T_c2w[..., :3, :3], T_c2w[..., :3, 3]
        pelvis_c = (self.transl_c + root_offset)[..., None]
        transl_w = (R_c2w @ pelvis_c)[..., 0] + centre - root_offset
        return self.replace(R_w=R_c2w @ self.R_c, transl_w=transl_w)

    @property
    def camera_pose(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Body rotations, betas, root rotation and translation in the camera, for body models."""
        return self.body_pose_R, self.betas, self.R_c, self.transl_c

    @property
    def world_pose(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Body rotations, betas, root rotation and translation in the world, for body models."""
        body = self.body_pose_R if self.body_pose_R_w is None else self.body_pose_R_w
        return body, self.betas, self.R_w, self.transl_w

    def parameters(self) -> dict[str, Tensor]:
        """Return SMPL-X parameters by their names in ``pred_instances``, axis-angle (B, L, ...)."""
        parameters = dict(
            body_pose=matrix_to_axis_angle(self.body_pose_R).flatten(-2),
            betas=self.betas,
            global_orient_c=matrix_to_axis_angle(self.R_c),
            transl_c=self.transl_c,
            global_orient_w=matrix_to_axis_angle(self.R_w),
            transl_w=self.transl_w,
            static_logits=self.static_logits,
        )
        if self.body_pose_R_w is not None:
            parameters['body_pose_w'] = matrix_to_axis_angle(self.body_pose_R_w).flatten(-2)
        return parameters
