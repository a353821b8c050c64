"""A predicted sequence with joints and a mesh of the body model."""

import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.export import dumped_person
from gvhmr_da_mm.structures import MotionDump

FRAMES = 9


@pytest.fixture(scope='session')
def body(toy_root):
    return get_body_model('smplx', data_root=toy_root)


@pytest.fixture
def dump(body, tmp_path):
    """Return a dump of a person who turns all joints by large angles and drifts."""
    time = torch.linspace(0, 1, FRAMES)[:, None]
    pose = torch.sin(3 * time + torch.arange(63)) * 0.9
    betas = torch.linspace(-1, 1, 10).expand(FRAMES, 10)
    orient_w = torch.cat((0.3 * time, 4 * time - 2, -0.5 * time), dim=1)  # more than half a turn
    transl_w = torch.cat((time, 0.1 * time, -2 * time), dim=1)
    T_w2c = torch.diag(torch.tensor([1.0, -1, -1, 1])).repeat(FRAMES, 1, 1)
    T_w2c[:, 2, 3] = 4
    orient_c, transl_c = transform_smpl(orient_w, transl_w, T_w2c, body.skeleton(betas)[:, 0])
    sample = PoseDataSample(metainfo=dict(dataset='toy', sequence='turn', img_shape=(60, 80)))
    sample.pred_instances = InstanceData(
        body_pose=pose,
        betas=betas,
        global_orient_w=orient_w,
        transl_w=transl_w,
        global_orient_c=orient_c,
        transl_c=transl_c,
        keypoints=body.fk(pose, betas, orient_c, transl_c).numpy(),
    )
    return MotionDump(sample, {}, tmp_path / 'turn.npz')


@pytest.fixture
def person(dump):
    """Return the same motion as that of a person."""
    return dumped_person(dump)


@pytest.fixture
def joints(body, dump):
    """Return the joints (F, 22, 3) of a space as the body model poses them."""

    def _joints(space):
        p = dump.sample.pred_instances
        orient, transl = p[f'global_orient_{space[0]}'], p[f'transl_{space[0]}']
        return body.fk(p.body_pose, p.betas, orient, transl)

    return _joints


@pytest.fixture
def given_dump(dump):
    """Return the same dump, in the world of a camera that was given with z up."""
    dump.sample.set_metainfo(dict(world_up='+z', test_time=dict(given_camera=True)))
    return dump
