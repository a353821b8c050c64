"""Post-processing against the published implementation."""

import pytest
import torch

from gvhmr_da_mm.core.postprocess import correct_moving_camera, correct_static_camera, solve_limbs
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.registry import MODELS
from tests.golden_cases import cases
from tests.golden_models import golden_body

pytestmark = pytest.mark.goldens

ARMS = [joint - 1 for joint in (13, 16, 18, 20, 14, 17, 19, 21)]


@pytest.fixture(params=[torch.float64, torch.float32], ids=['double', 'single'])
def posed_cases(goldens, request):
    """Return each case with its body posed."""
    body = MODELS.build(golden_body(goldens)).to(request.param)
    loaded = []
    for case in cases(goldens, '07_postprocess*.npz', request.param):
        betas, transl_w = case.input('global/betas'), case.input('global/transl')
        pose = axis_angle_to_matrix(case.input('global/body_pose').unflatten(-1, (-1, 3)))
        R_w = axis_angle_to_matrix(case.input('global/global_orient'))
        joints_w = body.fk_matrices(pose, betas, R_w, transl_w)
        case.check('fk_joints_global', joints_w)
        loaded.append((case, body, pose, betas, R_w, transl_w, joints_w))
    return loaded


def test_moving_camera(posed_cases):
    for case, _, _, _, _, transl_w, joints_w in posed_cases:
        logits = case.input('static_conf_logits')
        trajectory = correct_moving_camera(transl_w, joints_w, logits, compat='published')
        case.check('pp_static_joint_transl', trajectory)


def test_static_camera(posed_cases):
    for case, body, _, betas, R_w, transl_w, joints_w in posed_cases:
        trajectory = correct_static_camera(
            transl_w,
            joints_w,
            R_w,
            case.input('incam/transl'),
            axis_angle_to_matrix(case.input('incam/global_orient')),
            body.skeleton(betas)[:, :, 0],
            case.input('static_conf_logits'),
            compat='published',
        )
        case.check('pp_static_joint_cam_transl', trajectory)


def test_published_limbs(posed_cases):
    for case, body, pose, betas, R_w, transl_w, joints_w in posed_cases:
        logits, skeleton = case.input('static_conf_logits'), body.skeleton(betas)
        posed = solve_limbs(pose, R_w, transl_w, skeleton, logits, 'published')
        case.check('process_ik_body_pose_matrix', posed)
        trajectory = correct_moving_camera(transl_w, joints_w, logits, compat='published')
        posed = solve_limbs(pose, R_w, trajectory, skeleton, logits, 'published')
        case.check('fk_joints_after_pp_ik', body.fk_matrices(posed, betas, R_w, trajectory))


def test_correct_limbs_are_rotations_and_arms_as_published(posed_cases):
    for case, body, pose, betas, R_w, transl_w, _ in posed_cases:
        logits, skeleton = case.input('static_conf_logits'), body.skeleton(betas)
        posed = solve_limbs(pose, R_w, transl_w, skeleton, logits)
        published = solve_limbs(pose, R_w, transl_w, skeleton, logits, 'published')
        eye = torch.eye(3, dtype=posed.dtype).expand_as(posed)
        torch.testing.assert_close(posed @ posed.mT, eye, atol=1e-5, rtol=0)
        # An arm has one target, so that nothing is averaged and nothing needs repair.
        torch.testing.assert_close(posed[:, :, ARMS], published[:, :, ARMS], atol=1e-4, rtol=0)
