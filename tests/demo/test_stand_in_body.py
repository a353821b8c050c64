import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.conventions import FOOT_VERTEX_IDS, GENDERS
from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.demo.body import PosedBody, mannequin_mesh
from gvhmr_da_mm.demo.body.landmarks import SMPL_VERTEX_IDS, SMPLX_VERTEX_IDS
from gvhmr_da_mm.demo.body.shape_space import gendered_betas, neutral_betas

smplx = pytest.importorskip('smplx')


def test_sizes_and_rows(body):
    assert body.smplx.template.shape == (10475, 3)
    assert body.smpl.template.shape == (6890, 3)
    for model, joints in ((body.smplx, 55), (body.smpl, 24)):
        assert model.faces.min() >= 0 and model.faces.max() < len(model.template)
        assert len(model.parents) == joints
        np.testing.assert_allclose(model.weights.sum(1), 1)
    for matrix in (body.smplx.regressor, body.smpl.regressor, body.coco17, body.threedpw14):
        np.testing.assert_allclose(matrix.sum(1), 1)
        assert matrix.data.min() > 0
    np.testing.assert_allclose(body.smplx_to_smpl.sum(1), 1)
    assert set(np.diff(body.smplx_to_smpl.indptr)) == {1, 2, 3}
    assert ((body.coco17 @ body.smplx_to_smpl) != 0).sum() == 132
    assert np.all(np.diff(body.verts437) > 0) and len(body.verts437) == 437


def test_rest_pose(body):
    for model in (body.smplx, body.smpl):
        joints = model.regressor @ model.template
        assert np.ptp(model.template[:, 1]) == pytest.approx(1.73, abs=0.01)
        assert joints[20, 0] > 0.6 and joints[21, 0] < -0.6, 'left is +x'
        assert joints[10, 2] - joints[7, 2] > 0.1, 'toes point to +z'
        mirrored = joints[[0, 2, 1, 3, 5, 4, 6, 8, 7]] * [-1, 1, 1]
        np.testing.assert_allclose(mirrored, joints[:9], atol=1e-6)
    difference = (body.smplx.regressor @ body.smplx.template)[0] - (
        body.smpl.regressor @ body.smpl.template
    )[0]
    np.testing.assert_allclose(difference, [0, -0.15, -0.01], atol=1e-6)


def test_landmarks_have_the_right_anatomy(body):
    for model, ids in ((body.smpl, SMPL_VERTEX_IDS), (body.smplx, SMPLX_VERTEX_IDS)):
        points, joints = model.template, model.regressor @ model.template
        for side, sign, ankle in (('left', 1, 7), ('right', -1, 8)):
            toe, heel = points[ids[f'{side}_big_toe']], points[ids[f'{side}_heel']]
            floor = points[:, 1].min()
            assert toe[1] - floor < 0.06 and heel[1] - floor < 0.06
            assert toe[2] - joints[ankle, 2] > 0.12 and heel[2] < joints[ankle, 2]
            assert sign * points[ids[f'{side}_middle'], 0] > 0.87
            assert sign * points[ids[f'{side}_eye'], 0] > 0
            assert sign * points[ids[f'{side}_ear'], 0] > 0.05
        assert points[ids['nose'], 2] > 0.07
    feet = [SMPL_VERTEX_IDS[f'{side}_{part}'] for side in ('left', 'right')
            for part in ('big_toe', 'heel')]  # fmt: skip
    assert tuple(feet) == FOOT_VERTEX_IDS


def test_transfer_reproduces_the_other_mesh(body):
    shift = np.array([0, 0.15, 0.01])
    moved = body.smplx_to_smpl @ body.smplx.template + shift
    error = np.linalg.norm(moved - body.smpl.template, axis=1)
    assert error.mean() < 1e-3 and error.max() < 0.02
    directions = body.smplx.shapedirs.reshape(len(body.smplx.template), -1)
    carried = body.smplx_to_smpl @ directions - body.smpl.shapedirs.reshape(len(moved), -1)
    assert np.sqrt((carried**2).mean()) < 2e-4


def test_gendered_betas_mean_the_same_person(body):
    betas = np.linspace(-1, 1, 10)
    own = gendered_betas(betas, 'female')
    np.testing.assert_allclose(neutral_betas(own, 'female'), betas)
    template, shapedirs = body.smpl.gendered('female')
    neutral, neutral_dirs = body.smpl.gendered('neutral')
    np.testing.assert_allclose(template + shapedirs @ own, neutral + neutral_dirs @ betas)


def test_height_changes_with_size_and_gender(body):
    heights = {g: np.ptp(body.smpl.gendered(g)[0][:, 1]) for g in GENDERS}
    assert heights['female'] < heights['neutral'] - 0.02 < heights['male'] - 0.04


@pytest.mark.parametrize('gender', GENDERS)
def test_smplx_library_agrees(demo_root, body, gender):
    path = demo_root / 'body_models/smplx' / f'SMPLX_{gender.upper()}.npz'
    model = smplx.SMPLX(str(path), use_pca=False, flat_hand_mean=False, num_betas=10, ext='npz')
    betas, pose = torch.randn(1, 10), 0.3 * torch.randn(1, 63)
    orient, transl = torch.randn(1, 3), torch.randn(1, 3)
    output = model(betas=betas, body_pose=pose, global_orient=orient, transl=transl)
    posed = PosedBody(body.smplx, gender, np.arange(10475))
    joints, vertices = posed(pose, betas[0], orient, transl)
    torch.testing.assert_close(output.vertices, vertices, atol=2e-5, rtol=0)
    torch.testing.assert_close(output.joints[:, :55], joints, atol=2e-5, rtol=0)


@pytest.mark.parametrize('gender', GENDERS)
def test_smpl_library_agrees(demo_root, body, gender):
    path = demo_root / 'body_models/smpl' / f'SMPL_{gender.upper()}.pkl'
    model = smplx.SMPL(str(path))
    betas, pose = torch.randn(1, 10), 0.3 * torch.randn(1, 69)
    orient, transl = torch.randn(1, 3), torch.randn(1, 3)
    output = model(betas=betas, body_pose=pose, global_orient=orient, transl=transl)
    joints, vertices = PosedBody(body.smpl, gender, np.arange(6890))(pose, betas[0], orient, transl)
    # The file keeps shape directions in half precision.
    torch.testing.assert_close(output.vertices, vertices, atol=5e-4, rtol=0)
    torch.testing.assert_close(output.joints[:, :24], joints, atol=5e-4, rtol=0)


def test_missing_mannequin_names_the_remedy(monkeypatch):
    monkeypatch.setattr(mannequin_mesh, 'find_spec', lambda name: None)
    with pytest.raises(MissingFilesError, match='pip install --no-deps.* mannequin-x==0.3.0'):
        mannequin_mesh.load_mannequin()
