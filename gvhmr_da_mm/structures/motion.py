"""Records of batched motion: their base classes and the prediction of the network."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Optional

import torch
from torch import Tensor

from ..core.camera import weak_camera_from_translation
from ..core.filtering import hold_last_valid
from ..core.layout import IMAGE_FEATURE_DIM, NUM_COCO
from ..core.rotation import matrix_to_axis_angle
from ..core.trajectory import rollout_world


class _TensorRecord:
    """Base of dataclasses of batched tensors."""

    def _map(self, function) -> 'Any':
        changed = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                changed[field.name] = function(value)
        return replace(self, **changed)

    def replace(self, **changes: Any) -> 'Any':
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def to(self, *args: Any, **kwargs: Any) -> 'Any':
        """Move or convert every tensor as :meth:`torch.Tensor.to`; masks keep their dtype."""
        return self._map(
            lambda x: (
                x.to(*args, **kwargs)
                if x.is_floating_point()
                else x.to(device=torch.empty(0).to(*args, **kwargs).device)
            )
        )

    def detach(self) -> 'Any':
        """Detach every tensor from its graph."""
        return self._map(Tensor.detach)

    def __getitem__(self, index: Any) -> 'Any':
        """Index the batch, or batch and frames, of every tensor."""
        return self._map(lambda x: x[index])

    def __setitem__(self, index: Any, record: 'Any') -> None:
        """Overwrite a part of every tensor by that of another record."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                value[index] = getattr(record, field.name)

    @classmethod
    def cat(cls, records: Sequence['Any']) -> 'Any':
        """Concatenate records along the batch dimension; a field missing in one is dropped."""
        merged = {}
        for field in fields(cls):
            values = [getattr(record, field.name) for record in records]
            tensors = all(isinstance(value, Tensor) for value in values)
            if tensors:
                merged[field.name] = torch.cat(values)
            else:
                merged[field.name] = None if any(v is None for v in values) else values[0]
        return cls(**merged)


class _PosedRecord(_TensorRecord):
    """Base of predictions and targets of the network."""

    @property
    def camera_pose(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Body rotations, betas, root rotation and translation in the camera, for body models."""
        return self.body_pose_R, self.betas, self.R_c, self.transl_c

    @property
    def vector_parts(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Parts of the motion vector, in the order of :meth:`MotionCodec.encode_matrices`."""
        return self.body_pose_R, self.betas, self.R_c, self.R_gv, self.velocity


@dataclass
class MotionPrediction(_PosedRecord):
    """Decoded prediction of the network for a batch of clips.

    Attributes:
        body_pose_R (Tensor): Body joint rotations (B, L, 21, 3, 3).
        betas (Tensor): Shape (B, L, 10).
        R_c (Tensor): Root orientation in the camera (B, L, 3, 3).
        R_gv (Tensor): Root orientation in the gravity view (B, L, 3, 3).
        velocity (Tensor): Root displacement per frame in the root's own frame (B, L, 3), metres.
        transl_c (Tensor): Translation in the camera (B, L, 3), metres.
        pred_cam (Tensor): Weak-perspective camera (s, tx, ty) of the box (B, L, 3).
        static_logits (Tensor): Contact logits of the six static joints (B, L, 6).
        valid (Tensor): Frames that exist (B, L), bool.
        x (Tensor, optional): Normalised motion vector (B, L, 151) that was decoded. Defaults to
            None.
    """

    body_pose_R: Tensor
    betas: Tensor
    R_c: Tensor
    R_gv: Tensor
    velocity: Tensor
    transl_c: Tensor
    pred_cam: Tensor
    static_logits: Tensor
    valid: Tensor
    x: Optional[Tensor] = None

    @property
    def body_pose(self) -> Tensor:
        """Axis-angle body pose (B, L, 63)."""
        return matrix_to_axis_angle(self.body_pose_R).flatten(-2)

    def rollout(self, cam_angvel: Tensor, compat: str = 'correct') -> tuple[Tensor, Tensor]:
        """Return world orientation (B, L, 3, 3) and translation (B, L, 3); padding has no effect.

        Args:
            cam_angvel (Tensor): Camera rotation between frames in 6D (B, L, 6).
            compat (str): See :func:`~gvhmr_da_mm.core.trajectory.rollout_world`.
        """
        frames = (self.R_gv, self.R_c, cam_angvel, self.velocity)
        return rollout_world(*(hold_last_valid(x, self.valid) for x in frames), compat)

    def for_box(self, bbx_xys: Tensor, K: Tensor) -> 'MotionPrediction':
        """Express ``pred_cam`` relative to another box (B, L, 3) of the same camera.

        It is unchanged for boxes of size zero, for which it is not defined.
        """
        has_box = bbx_xys[..., 2:] > 0
        # Masked before the division: masking after it would leave NaN in the gradients.
        boxes = torch.where(has_box, bbx_xys, 1.0)
        pred_cam = weak_camera_from_translation(self.transl_c, boxes, K)
        return self.replace(pred_cam=torch.where(has_box, pred_cam, self.pred_cam))


def empty_inputs(batch: int, length: int, **kwargs: Any) -> dict[str, Tensor]:
    """Return network inputs without evidence: no keypoints, no image features.

    Args:
        batch (int): Number of clips.
        length (int): Number of frames.
        kwargs (Any): dtype and device.

    Returns:
        dict[str, Tensor]: ``kp2d`` (B, L, 17, 3), ``bbx_xys`` (B, L, 3), ``K_fullimg``
        (B, L, 3, 3), ``cam_angvel`` (B, L, 6), ``f_imgseq`` (B, L, 1024), ``valid`` (B, L),
        ``img_wh`` (B, 2), ``has_kp2d`` and ``has_imgfeat`` (B,).
    """
    eye = torch.eye(3, **kwargs)
    flag = torch.zeros(batch, dtype=torch.bool, device=eye.device)
    return dict(
        kp2d=torch.zeros(batch, length, NUM_COCO, 3, **kwargs),
        bbx_xys=torch.ones(batch, length, 3, **kwargs),
        K_fullimg=eye.expand(batch, length, 3, 3).clone(),
        cam_angvel=eye[:2].reshape(6).expand(batch, length, 6).clone(),
        f_imgseq=torch.zeros(batch, length, IMAGE_FEATURE_DIM, **kwargs),
        valid=torch.ones(batch, length, dtype=torch.bool, device=eye.device),
        img_wh=torch.ones(batch, 2, **kwargs),
        has_kp2d=flag,
        has_imgfeat=flag.clone(),
    )
