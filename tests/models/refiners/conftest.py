"""A body before the camera, its keypoints, and a wrong prediction of it."""

import pytest
import torch

from gvhmr_da_mm.core.camera import perspective_project
from gvhmr_da_mm.core.gravity_view import gravity_view_rotation
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.structures import MotionPrediction, empty_inputs

BATCH, LENGTH = 2, 6


@pytest.fixture
def truth(toy_model):
    """A body four metres away, its keypoints, and a teacher that is wrong about some joints."""
    shape = (BATCH, LENGTH)
    pose = axis_angle_to_matrix(0.2 * torch.randn(BATCH, 1, 21, 3).expand(*shape, 21, 3))
    R_c = axis_angle_to_matrix(torch.tensor([3.0, 0.2, 0.1])).expand(*shape, 3, 3)
    transl_c = torch.tensor([0.1, 0.2, 4.0]).expand(*shape, 3)
    K = torch.tensor([[1000.0, 0, 500], [0, 1000, 500], [0, 0, 1]]).expand(*shape, 3, 3)
    inputs = empty_inputs(*shape)
    inputs.update(
        K_fullimg=K,
        bbx_xys=torch.tensor([500.0, 500, 500]).expand(*shape, 3),
        valid=torch.arange(LENGTH) < torch.tensor([[LENGTH], [4]]),
    )
    prediction = MotionPrediction(
        body_pose_R=pose,
        betas=torch.zeros(*shape, 10),
        R_c=R_c,
        R_gv=gravity_view_rotation(torch.eye(3)) @ R_c,
        velocity=torch.randn(*shape, 3) * 0.01,
        transl_c=transl_c,
        pred_cam=torch.ones(*shape, 3),
        static_logits=torch.randn(*shape, 6),
        valid=inputs['valid'],
    )
    pixels = perspective_project(toy_model.coco_joints(prediction), K)
    inputs['kp2d'] = torch.cat((pixels, torch.ones(*shape, 17, 1)), dim=-1)
    bent = axis_angle_to_matrix(0.3 * torch.randn(BATCH, 1, 21, 3).expand(*shape, 21, 3))
    return prediction, prediction.replace(body_pose_R=pose @ bent), inputs
