"""A synthetic person filmed by a moving camera, and a predictor that is always right about it.

A view claims that its new inputs are those of another physical scene: of a camera that is turned
about its axis, or of a mirrored world. Such scenes are built here from world-space quantities only,
so that they share no formula with the views.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from gvhmr_da_mm.core.camera import (
    camera_angular_velocity,
    perspective_project,
    weak_camera_from_translation,
)
from gvhmr_da_mm.core.conventions import (
    BODY_FLIP_INDEX,
    COCO_JOINT_NAMES,
    JOINT_FLIP_INDEX,
    PARENTS_22,
    STATIC_FLIP_INDEX,
)
from gvhmr_da_mm.core.gravity_view import gravity_view_rotation
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.structures.motion import MotionPrediction

DOUBLE = torch.float64
MIRROR = torch.diag(torch.tensor([-1.0, 1, 1], dtype=DOUBLE))
# COCO joints that are body joints; the face hangs on the head (15).
COCO_FROM_BODY = dict(
    shoulder=(16, 17), elbow=(18, 19), wrist=(20, 21), hip=(1, 2), knee=(4, 5), ankle=(7, 8)
)
FACE = dict(
    nose=(0.0, 0.0, 0.1), left_eye=(0.03, 0.03, 0.08), right_eye=(-0.03, 0.03, 0.08),
    left_ear=(0.07, 0.0, 0.0), right_ear=(-0.07, 0.0, 0.0),
)  # fmt: skip


def random_rotation(*shape: int, scale: float = 1.0) -> Tensor:
    return axis_angle_to_matrix(torch.randn(*shape, 3, dtype=DOUBLE) * scale)


def smooth(*shape: int) -> Tensor:
    """Random curves over dimension 1."""
    return torch.randn(*shape, dtype=DOUBLE).cumsum(dim=1)


@dataclass
class Scene:
    """World-space truth of B clips of L frames; the first ``total`` frames exist."""

    body_pose_R: Tensor
    betas: Tensor
    R_w: Tensor
    pelvis_w: Tensor
    static_logits: Tensor
    R_w2c: Tensor
    t_w2c: Tensor
    bones: Tensor
    root_offset: Tensor
    K: Tensor
    bbx_xys: Tensor
    img_wh: Tensor
    valid: Tensor
    features: Tensor
    flip_features: Tensor

    @classmethod
    def random(cls, batch: int = 3, length: int = 7, skew: float = 0.0) -> 'Scene':
        bones = torch.randn(22, 3, dtype=DOUBLE) * 0.2
        # A skeleton that is its own mirror image, as the SMPL family's nearly are.
        bones = (bones + bones[list(JOINT_FLIP_INDEX)] @ MIRROR) / 2
        K = torch.zeros(batch, length, 3, 3, dtype=DOUBLE)
        K[..., 0, 0], K[..., 1, 1], K[..., 2, 2] = 900, 1100, 1
        K[..., 0, 1], K[..., 0, 2], K[..., 1, 2] = skew, 500, 410
        box = torch.tensor([480.0, 430, 600], dtype=DOUBLE) + 10 * smooth(batch, length, 3)
        total = torch.tensor([length, length - 1, length - 2] * batch)[:batch].clamp(min=1)
        return cls(
            body_pose_R=random_rotation(batch, length, 21),
            betas=torch.randn(batch, 1, 10, dtype=DOUBLE).expand(-1, length, -1),
            R_w=random_rotation(batch, length),
            pelvis_w=0.1 * smooth(batch, length, 3),
            static_logits=torch.randn(batch, length, 6, dtype=DOUBLE),
            R_w2c=random_rotation(batch, 1) @ axis_angle_to_matrix(0.1 * smooth(batch, length, 3)),
            t_w2c=torch.tensor([0.0, 0, 6], dtype=DOUBLE) + 0.1 * smooth(batch, length, 3),
            bones=bones,
            root_offset=torch.tensor([0.01, -0.35, 0.02], dtype=DOUBLE).expand(batch, length, 3),
            K=K,
            bbx_xys=box,
            img_wh=torch.tensor([[960.0, 800]], dtype=DOUBLE).expand(batch, 2),
            valid=torch.arange(length) < total[:, None],
            features=torch.randn(batch, length, 8, dtype=DOUBLE),
            flip_features=torch.randn(batch, length, 8, dtype=DOUBLE),
        )

    def __getitem__(self, item: Any) -> 'Scene':
        """Take frames, a slice of dimension 1."""
        clip_fields = ('bones', 'img_wh')
        return replace(
            self,
            **{
                f.name: getattr(self, f.name)[:, item]
                for f in fields(self)
                if f.name not in clip_fields
            },
        )

    def rolled(self, roll: Tensor) -> 'Scene':
        """Film the same world with the camera turned by ``roll`` (3, 3) or (B, 1, 3, 3)."""
        return replace(self, R_w2c=roll @ self.R_w2c, t_w2c=(roll @ self.t_w2c[..., None])[..., 0])

    def mirrored(self) -> 'Scene':
        """Film the mirror image of world and person with the mirrored camera."""
        K = self.K.clone()
        K[..., 0, 2] = self.img_wh[:, None, 0] - K[..., 0, 2]
        K[..., 0, 1] = -K[..., 0, 1]
        return replace(
            self,
            body_pose_R=MIRROR @ self.body_pose_R[:, :, list(BODY_FLIP_INDEX)] @ MIRROR,
            R_w=MIRROR @ self.R_w @ MIRROR,
            pelvis_w=self.pelvis_w @ MIRROR,
            static_logits=self.static_logits[..., list(STATIC_FLIP_INDEX)],
            R_w2c=MIRROR @ self.R_w2c @ MIRROR,
            t_w2c=self.t_w2c @ MIRROR,
            K=K,
            features=self.flip_features,
            flip_features=self.features,
        )

    def camera_points(self) -> Tensor:
        """Return the COCO joints in the camera (B, L, 17, 3) by forward kinematics in the world."""
        rotations, positions = [self.R_w], [self.pelvis_w]
        for joint in range(1, 22):
            parent = PARENTS_22[joint]
            bone = (rotations[parent] @ self.bones[joint][:, None])[..., 0]
            rotations.append(rotations[parent] @ self.body_pose_R[:, :, joint - 1])
            positions.append(positions[parent] + bone)
        points = []
        for name in COCO_JOINT_NAMES:
            if name in FACE:
                offset = torch.tensor(FACE[name], dtype=DOUBLE)
                points.append(positions[15] + (rotations[15] @ offset[:, None])[..., 0])
            else:
                side, part = name.split('_')
                points.append(positions[COCO_FROM_BODY[part][side == 'right']])
        points = torch.stack(points, dim=2)
        return (self.R_w2c[:, :, None] @ points[..., None])[..., 0] + self.t_w2c[:, :, None]

    def inputs(self) -> dict[str, Tensor]:
        """Return what the network would be given, keypoints without error."""
        batch, length = self.valid.shape
        pixels = perspective_project(self.camera_points(), self.K)
        flag = torch.ones(batch, dtype=torch.bool)
        return dict(
            kp2d=torch.cat((pixels, torch.ones(batch, length, 17, 1, dtype=DOUBLE)), dim=-1),
            bbx_xys=self.bbx_xys,
            K_fullimg=self.K,
            cam_angvel=camera_angular_velocity(self.R_w2c),
            f_imgseq=self.features,
            valid=self.valid,
            img_wh=self.img_wh,
            has_kp2d=flag,
            has_imgfeat=flag,
            flip_f_imgseq=self.flip_features,
            has_flip_imgfeat=flag,
        )

    def predict(self, inputs: dict[str, Tensor]) -> MotionPrediction:
        """Return the right answer, for the box of the inputs."""
        R_c = self.R_w2c @ self.R_w
        pelvis_c = (self.R_w2c @ self.pelvis_w[..., None])[..., 0] + self.t_w2c
        transl_c = pelvis_c - self.root_offset
        step = self.pelvis_w[:, 1:] - self.pelvis_w[:, :-1]
        velocity = (self.R_w[:, :-1].transpose(-1, -2) @ step[..., None])[..., 0]
        return MotionPrediction(
            body_pose_R=self.body_pose_R,
            betas=self.betas,
            R_c=R_c,
            R_gv=gravity_view_rotation(self.R_w2c) @ R_c,
            velocity=torch.cat((velocity, velocity[:, -1:]), dim=1)
            if velocity.shape[1]
            else torch.zeros_like(transl_c),
            transl_c=transl_c,
            pred_cam=weak_camera_from_translation(transl_c, inputs['bbx_xys'], self.K),
            static_logits=self.static_logits,
            valid=inputs['valid'],
            x=torch.randn(*self.valid.shape, 151, dtype=DOUBLE),
        )


def assert_same(got: Any, expected: Any, mask: Any = None, tolerance: float = 1e-9) -> None:
    """Compare records or dicts of tensors, on the frames ``mask`` (B, L)."""
    got = got if isinstance(got, dict) else vars(got)
    expected = expected if isinstance(expected, dict) else vars(expected)
    for name, value in expected.items():
        other = got[name]
        if name == 'x' or value is None:
            continue
        if mask is not None and value.shape[:2] == mask.shape:
            value, other = value[mask], other[mask]
        assert value.shape == other.shape, name
        error = (value.to(DOUBLE) - other.to(DOUBLE)).abs() / (1 + value.to(DOUBLE).abs())
        assert error.numel() == 0 or error.max() <= tolerance, f'{name}: {error.max():.2e}'
