import pytest
import torch

from gvhmr_da_mm.body_models import SMPLXBody, SMPLXLight, load_regressor
from gvhmr_da_mm.body_models.loading import load_body_arrays
from gvhmr_da_mm.core.conventions import PARENTS_22
from gvhmr_da_mm.core.kinematics import bone_vectors, forward_kinematics
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from tests.golden_cases import TOLERANCE, cases

from .conftest import GOLDEN_KEYS

pytestmark = pytest.mark.goldens


@pytest.fixture(params=list(TOLERANCE), ids=['float64', 'float32'])
def dtype(request):
    return request.param


def _body(case):
    return {key: case.input(key) for key in GOLDEN_KEYS}


def _to_4x4(R, t):
    bottom = torch.tensor([0.0, 0, 0, 1], dtype=R.dtype).expand(*R.shape[:-2], 1, 4)
    return torch.cat((torch.cat((R, t.unsqueeze(-1)), -1), bottom), -2)


def test_skeleton_and_fk(goldens, golden_model, dtype):
    model = SMPLXLight(**golden_model).to(dtype)
    for case in cases(goldens, '04_body*.npz', dtype):
        body = _body(case)
        case.check('skeleton55', model.rest_joints(body['betas']))
        case.check('fk_joints22', model.fk(**body))
        case.check('fk_joints22_no_root', model.fk(body['body_pose'], body['betas']))
        case.check('local_pos', bone_vectors(model.skeleton(body['betas']), PARENTS_22))
        case.check('parents22', torch.tensor(model.parents))
        parents = load_body_arrays(golden_model['model_path'], 'smplx').parents
        case.check('parents', torch.tensor(parents))

        joints = model.joints
        case.check('J_template', joints[..., 0])
        case.check('J_shapedirs', joints[..., 1:])


def test_kinematics(goldens, golden_model, dtype):
    model = SMPLXLight(**golden_model).to(dtype)
    for case in cases(goldens, '04_body*.npz', dtype):
        body = _body(case)
        pose = torch.cat((body['global_orient'], body['body_pose']), -1).unflatten(-1, (22, 3))
        R_local = axis_angle_to_matrix(pose)
        joints = model.skeleton(body['betas']) + body['transl'].unsqueeze(-2)
        R_global, positions = forward_kinematics(R_local, joints, PARENTS_22)
        case.check('fk_local_mat', _to_4x4(R_local, bone_vectors(joints, PARENTS_22)))
        case.check('fk_global_mat', _to_4x4(R_global, positions))


def test_light_forward(goldens, golden_model, dtype):
    model = SMPLXLight(**golden_model).to(dtype)
    for case in cases(goldens, '04_body*.npz', dtype):
        light = model(**_body(case))
        case.check('verts437', light.verts437)
        case.check('coco17', light.coco17)
        case.check('coco17_only_model', light.coco17)


def test_full_mesh(goldens, golden_model, dtype):
    model = SMPLXBody(**golden_model).to(dtype)
    smpl24 = load_regressor('smpl24', support_dir=golden_model['support_dir']).to(dtype)
    for case in cases(goldens, '04_body*.npz', dtype):
        body = _body(case)
        case.check('smpl24_model', smpl24 @ model.to_smpl_vertices(model(**body)))
        for name in case.names('out_full_verts_first'):
            frames = int(name.split('frames')[0])
            first = {key: value[:, :frames] for key, value in body.items()}
            if name.endswith('no_transl'):
                del first['transl']
            case.check(f'full_verts_first{name}', model(**first))
