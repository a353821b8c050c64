import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.export import predicted_motion


@pytest.mark.parametrize('space', ['world', 'camera'])
def test_joints_are_those_of_the_body_model(dump, joints, space):
    motion = predicted_motion(dump, space)
    _, posed = motion.posed()
    expected = joints(space)
    torch.testing.assert_close(posed.float(), expected, rtol=0, atol=2e-6)
    assert len(motion) == len(expected)


def test_axes_of_the_given_camera(given_dump, joints):
    _, posed = predicted_motion(given_dump, 'given').posed()
    x, y, z = joints('world').unbind(-1)
    torch.testing.assert_close(posed.float(), torch.stack((x, -z, y), dim=-1), rtol=0, atol=2e-6)


def test_a_pose_of_the_world_alone(dump, joints, body):
    p = dump.sample.pred_instances
    p.body_pose_w = p.body_pose * 0.5
    expected = body.fk(p.body_pose_w, p.betas, p.global_orient_w, p.transl_w)
    _, posed = predicted_motion(dump, 'world').posed()
    torch.testing.assert_close(posed.float(), expected, rtol=0, atol=2e-6)
    _, posed = predicted_motion(dump, 'camera').posed()
    torch.testing.assert_close(posed.float(), joints('camera'), rtol=0, atol=2e-6)


def test_bones_are_those_of_the_body_model(dump, body):
    rest = body.skeleton(dump.sample.pred_instances.betas[0])
    expected = rest - rest[:1]
    torch.testing.assert_close(
        predicted_motion(dump).rest_joints.float(), expected, rtol=0, atol=2e-6
    )


def test_errors(dump):
    with pytest.raises(ConfigError, match="'gv'"):
        predicted_motion(dump, 'gv')
    with pytest.raises(ConfigError, match='turn.npz is not in the world of a given camera'):
        predicted_motion(dump, 'given')
    del dump.sample.pred_instances.transl_w
    with pytest.raises(DataError, match='turn.npz.*transl_w'):
        predicted_motion(dump)
