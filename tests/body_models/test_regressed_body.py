"""Regressed points without the mesh against those of the mesh."""

import pytest
import torch

from gvhmr_da_mm.body_models import get_body_model, get_regressed_body, load_regressor
from gvhmr_da_mm.body_models.regressors import regressor_file
from gvhmr_da_mm.core.conventions import FOOT_VERTEX_IDS
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix

POSE_SIZE = {'smplx': 63, 'smpl': 69}


def parameters(kind, frames=5):
    sizes = (POSE_SIZE[kind], 10, 3, 3)
    return [0.3 * torch.randn(frames, size) for size in sizes]


@pytest.mark.parametrize('kind, flat', [('smplx', False), ('smplx', True), ('smpl', False)])
@pytest.mark.parametrize('regressor', ['smpl24', '3dpw14'])
def test_points_are_those_of_the_mesh(toy_root, kind, flat, regressor):
    posed = parameters(kind)
    mesh = get_body_model(kind, 'neutral', toy_root, flat_hand_mean=flat)
    verts = mesh(*posed)
    if kind == 'smplx':
        verts = mesh.to_smpl_vertices(verts)
    joints = load_regressor(regressor, toy_root) @ verts
    body = get_regressed_body(
        kind, regressor, FOOT_VERTEX_IDS, data_root=toy_root, flat_hand_mean=flat
    )
    points = body(*posed)
    assert body.num_vertices < verts.shape[1] / 4
    torch.testing.assert_close(points[:, :-4], joints, atol=1e-5, rtol=0)
    torch.testing.assert_close(points[:, -4:], verts[:, list(FOOT_VERTEX_IDS)], atol=1e-5, rtol=0)


def test_genders_differ_and_models_are_shared(toy_root):
    male, female = (
        get_regressed_body('smpl', 'smpl24', gender=g, data_root=toy_root)
        for g in ('male', 'female')
    )
    posed = parameters('smpl')
    assert not torch.allclose(male(*posed), female(*posed), atol=1e-3)
    assert get_regressed_body('smpl', 'smpl24', gender='male', data_root=toy_root) is male


def test_the_size_of_the_chunks_does_not_matter(toy_root):
    body, posed = get_regressed_body('smpl', 'smpl24', data_root=toy_root), parameters('smpl', 7)
    whole = body(*posed)
    pieces = torch.cat([body(*(x[i : i + 3] for x in posed)) for i in (0, 3, 6)])
    torch.testing.assert_close(whole, pieces)


def test_vertices_of_another_topology_are_refused(toy_root, tmp_path):
    for name in ('smpl24', 'smplx2smpl'):
        path, _ = regressor_file(name, toy_root)
        torch.save(torch.rand(24, 100), tmp_path / path.name)
    with pytest.raises(DataError, match='6890 columns.*vertices of SMPL.*, got 100'):
        get_regressed_body('smpl', 'smpl24', (3,), data_root=toy_root, support_dir=tmp_path)
    with pytest.raises(DataError, match='100 vertices'):
        get_regressed_body('smpl', 'smpl24', data_root=toy_root, support_dir=tmp_path)
    with pytest.raises(DataError, match='smplx2smpl'):
        get_regressed_body('smplx', 'smpl24', data_root=toy_root, support_dir=tmp_path)


def test_unknown_kinds_and_missing_files_are_named(toy_root, tmp_path):
    with pytest.raises(ConfigError, match="'mano'"):
        get_regressed_body('mano', 'smpl24', data_root=toy_root)
    with pytest.raises(MissingFilesError, match='SMPL_MALE.pkl'):
        get_regressed_body(
            'smpl', 'smpl24', gender='male', data_root=tmp_path, support_dir=toy_root / 'support'
        )


def test_coco_joints_of_the_light_body_need_no_vertices(toy_root):
    light = get_body_model('smplx_light', 'neutral', toy_root)
    pose = axis_angle_to_matrix(0.5 * torch.randn(3, 4, 21, 3)).requires_grad_()
    rest = (torch.randn(3, 4, 10), axis_angle_to_matrix(torch.randn(3, 4, 3)), torch.randn(3, 4, 3))
    joints = light.coco_matrices(pose, *rest)
    expected = light.light_matrices(pose, *rest).coco17
    torch.testing.assert_close(joints, expected, atol=1e-5, rtol=0)
    weights = torch.randn_like(joints)
    gradients = [torch.autograd.grad((x * weights).sum(), pose)[0] for x in (joints, expected)]
    torch.testing.assert_close(*gradients, atol=1e-4, rtol=1e-4)
