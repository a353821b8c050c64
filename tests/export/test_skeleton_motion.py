import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.export import dumped_person, given_up, person_skeleton
from tests.export.posed_skeleton import posed, rest_joints


@pytest.mark.parametrize('space', ['world', 'camera'])
def test_joints_are_those_of_the_body_model(person, joints, space):
    motion = person_skeleton(person, space)
    _, found = posed(motion)
    expected = joints(space)
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=2e-6)
    assert len(motion) == len(expected)


def test_axes_of_the_given_camera(given_dump, joints):
    _, found = posed(person_skeleton(dumped_person(given_dump), up=given_up(given_dump)))
    x, y, z = joints('world').unbind(-1)
    torch.testing.assert_close(found.float(), torch.stack((x, -z, y), dim=-1), rtol=0, atol=2e-6)


def test_a_pose_of_the_world_alone(dump, joints, body):
    p = dump.sample.pred_instances
    p.body_pose_w = p.body_pose * 0.5
    expected = body.fk(p.body_pose_w, p.betas, p.global_orient_w, p.transl_w)
    _, found = posed(person_skeleton(dumped_person(dump), 'world'))
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=2e-6)
    _, found = posed(person_skeleton(dumped_person(dump), 'camera'))
    torch.testing.assert_close(found.float(), joints('camera'), rtol=0, atol=2e-6)


def test_bones_are_those_of_the_body_model(dump, person, body):
    rest = body.skeleton(dump.sample.pred_instances.betas[0])
    expected = rest - rest[:1]
    torch.testing.assert_close(
        rest_joints(person_skeleton(person)).float(), expected, rtol=0, atol=2e-6
    )


def test_errors(dump, person):
    with pytest.raises(ConfigError, match="'gv'"):
        person_skeleton(person, 'gv')
    with pytest.raises(ConfigError, match="`up` is for the world.*'\\+z'"):
        person_skeleton(person, 'camera', '+z')
    with pytest.raises(ConfigError, match='turn.npz is not in the world of a given camera'):
        given_up(dump)
    person.transl_c = None
    with pytest.raises(DataError, match='in the camera is unknown'):
        person_skeleton(person, 'camera')
    person_skeleton(person)
    del dump.sample.pred_instances.transl_w
    with pytest.raises(DataError, match='turn.npz.*transl_w'):
        dumped_person(dump)
