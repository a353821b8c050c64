"""Samples of a person who walks past a camera, with motion in camera and world."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from gvhmr_da_mm.core.rotation import axis_angle_to_matrix, matrix_to_axis_angle

# A standing person, y up, facing +z, the left side at +x.
STANDING = np.array(
    [
        [0, 0.95, 0], [0.09, 0.88, 0], [-0.09, 0.88, 0], [0, 1.07, 0], [0.1, 0.5, 0],
        [-0.1, 0.5, 0], [0, 1.2, 0], [0.1, 0.08, 0], [-0.1, 0.08, 0], [0, 1.25, 0],
        [0.1, 0.03, 0.12], [-0.1, 0.03, 0.12], [0, 1.47, 0], [0.08, 1.4, 0], [-0.08, 1.4, 0],
        [0, 1.6, 0], [0.18, 1.42, 0], [-0.18, 1.42, 0], [0.24, 1.15, 0], [-0.24, 1.15, 0],
        [0.26, 0.9, 0], [-0.26, 0.9, 0],
    ]
)  # fmt: skip
FRAMES, WIDTH, HEIGHT = 40, 160, 120
# Looks along -z from z = 4, at the height of the hips: x stays right, y and z turn round.
CAMERA = torch.tensor([[1.0, 0, 0, 0], [0, -1, 0, 1.0], [0, 0, -1, 4.0], [0, 0, 0, 1]])


def walking() -> torch.Tensor:
    """Return joints (F, 22, 3) in a y-up world."""
    joints = torch.from_numpy(STANDING).float().repeat(FRAMES, 1, 1)
    return joints + torch.linspace(-0.8, 0.8, FRAMES)[:, None, None] * torch.tensor([1.0, 0, 0])


@pytest.fixture
def make_sample():
    """Return a function that makes a sample without meshes."""

    def make(with_gt=True, with_pred=True, shift_mm=0.0):
        joints_w = walking()
        T = CAMERA.repeat(FRAMES, 1, 1)
        joints_c = joints_w @ T[:, :3, :3].mT + T[:, None, :3, 3]
        sample = PoseDataSample(
            metainfo=dict(
                dataset='toy',
                sequence='walk/1.a',
                img_shape=(HEIGHT, WIDTH),
                start=0,
                gender='neutral',
            )
        )
        offset = torch.tensor([0.0, -0.3, 0.02])
        orient_w = torch.tensor([0.1, 0.7, -0.2]).expand(FRAMES, 3)
        if with_pred:
            moved = joints_c.clone()
            moved[:, 1:] += torch.tensor([shift_mm / 1000, 0, 0])
            R_c = T[:, :3, :3] @ axis_angle_to_matrix(orient_w)
            logits = torch.full((FRAMES, 6), -4.0)
            logits[:, 0] = 4.0
            sample.pred_instances = InstanceData(
                body_pose=torch.zeros(FRAMES, 63),
                betas=torch.zeros(FRAMES, 10),
                global_orient_c=matrix_to_axis_angle(R_c),
                transl_c=joints_c[:, 0] - offset,
                global_orient_w=orient_w,
                transl_w=joints_w[:, 0] - offset,
                static_logits=logits,
                keypoints=moved.numpy(),
                keypoint_scores=np.ones((FRAMES, 22), np.float32),
            )
        if with_gt:
            sample.gt_instances = InstanceData(
                body_pose=torch.zeros(FRAMES, 69),
                betas=torch.zeros(FRAMES, 10),
                global_orient=torch.zeros(FRAMES, 3),
                transl=joints_w[:, 0],
                T_w2c=T,
                mask=torch.arange(FRAMES) != 3,
                lifting_target=joints_c.numpy(),
                lifting_target_visible=np.ones((FRAMES, 22), np.float32),
            )
        return sample

    return make
