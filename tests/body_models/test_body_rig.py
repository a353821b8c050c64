import numpy as np
import pytest
import torch

from gvhmr_da_mm.body_models import get_body_model, make_body_rig
from gvhmr_da_mm.core.kinematics import forward_kinematics
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix


@pytest.mark.parametrize('name', ['smplx', 'smpl'])
def test_a_rig_follows_the_body_model(toy_root, name):
    gender = dict(gender='male') if name == 'smpl' else {}
    body = get_body_model(name, data_root=toy_root, **gender)
    betas = torch.linspace(-1, 1, 10)
    pose = torch.sin(torch.arange(3.0 * (body.num_posed - 1)))
    rig = make_body_rig(body, betas)
    np.testing.assert_allclose(rig.weights.sum(axis=1), 1)
    R = torch.cat((torch.eye(3)[None], axis_angle_to_matrix(pose.view(-1, 3))))
    R_global, joints = forward_kinematics(R, body.skeleton(betas), body.parents)
    posed = rig.pose(R_global.numpy(), joints.numpy())
    moved = np.linalg.norm(posed - rig.vertices, axis=1)
    error = np.linalg.norm(posed - body(pose, betas).numpy(), axis=1)
    assert error.mean() < 0.02 * moved.mean()
    identity = np.tile(np.eye(3), (body.num_posed, 1, 1))
    np.testing.assert_allclose(rig.pose(identity, rig.joints), rig.vertices, atol=1e-6)
