import copy

import numpy as np
import pytest
import smplx
import torch

from gvhmr_da_mm.body_models import SMPLBody, SMPLXBody, SMPLXLight, load_regressor
from gvhmr_da_mm.body_models.linear_blend_body import LinearBlendBody, blend_constants
from gvhmr_da_mm.body_models.loading import BodyArrays
from gvhmr_da_mm.core.conventions import PARENTS_22, PARENTS_24
from gvhmr_da_mm.core.errors import ConfigError, DataError, ShapeError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix

from .conftest import random_body

PARENTS = (-1, 0, 1, 1, 3, 4)


def make_arrays(num_vertices=9, parents=PARENTS, num_betas=4):
    """Return a small random body whose joints 3 to 5 form a chain."""
    rng = np.random.default_rng(0)
    num_joints = len(parents)
    weights = rng.random((num_vertices, num_joints))
    regressor = rng.random((num_joints, num_vertices))
    return BodyArrays(
        v_template=rng.normal(size=(num_vertices, 3)),
        shapedirs=rng.normal(size=(num_vertices, 3, num_betas)),
        posedirs=0.1 * rng.normal(size=(num_vertices, 3, 9 * (num_joints - 1))),
        J_regressor=regressor / regressor.sum(1, keepdims=True),
        weights=weights / weights.sum(1, keepdims=True),
        faces=np.array([[0, 1, 2]]),
        parents=parents,
        hand_mean=np.zeros((0, 3)),
    )


def make_body(fixed_pose=None, num_posed=3, vertex_ids=None):
    arrays = make_arrays()
    if fixed_pose is None:
        fixed_pose = np.zeros((len(arrays.parents) - num_posed, 3))
    constants = blend_constants(arrays, num_posed, fixed_pose, 4, vertex_ids)
    return LinearBlendBody(**constants).double()


@pytest.mark.parametrize(
    'fixed_pose',
    [
        np.zeros((3, 3)),
        np.array([[0.4, -1.0, 0.3], [0, 0, 0], [1.0, 0.2, 0]]),
        # The second joint undoes the first one's turn: no rotation in all, but displaced.
        np.array([[0.4, -1.0, 0.3], [-0.4, 1.0, -0.3], [0, 0, 0]]),
    ],
    ids=['rest', 'posed', 'undone'],
)
def test_fixed_joints_equal_posing_them(fixed_pose):
    fixed = make_body(fixed_pose)
    free = make_body(num_posed=6)
    pose, betas = torch.randn(5, 2, 3, 3).double(), torch.randn(5, 4).double()
    R_pose = axis_angle_to_matrix(pose[:, :, 0])
    R_fixed = axis_angle_to_matrix(torch.from_numpy(fixed_pose)).expand(5, -1, -1, -1)
    expected = free.pose_vertices(torch.cat((R_pose, R_fixed), 1), betas)
    got = fixed.pose_vertices(R_pose, betas)
    torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)


def test_joints_at_rest_need_no_transform_of_their_own():
    assert len(make_body(np.zeros((3, 3))).anchors) == 0
    assert len(make_body(np.array([[0, 0, 0], [0.1, 0, 0], [0, 0, 0]])).anchors) == 2


def test_vertex_subset_equals_those_of_the_mesh():
    ids = [7, 2, 5]
    fixed_pose = np.random.default_rng(1).normal(size=(3, 3))
    R, betas = axis_angle_to_matrix(torch.randn(5, 2, 3).double()), torch.randn(5, 4).double()
    whole = make_body(fixed_pose).pose_vertices(R, betas)
    part = make_body(fixed_pose, vertex_ids=ids).pose_vertices(R, betas)
    torch.testing.assert_close(part, whole[:, ids], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('leading', [(), (1,), (2, 3), (2, 1, 3)])
def test_leading_shapes(leading):
    body = make_body()
    arguments = {
        'body_pose': torch.randn(*leading, 6).double(),
        'betas': torch.randn(*leading, 4).double(),
        'global_orient': torch.randn(*leading, 3).double(),
        'transl': torch.randn(*leading, 3).double(),
    }
    joints = body.fk(**arguments)
    assert joints.shape == (*leading, 3, 3)
    flat = {key: value.reshape(-1, value.shape[-1]) for key, value in arguments.items()}
    torch.testing.assert_close(joints.reshape(-1, 3, 3), body.fk(**flat))


def test_betas_of_a_sequence_broadcast_over_frames():
    body = make_body()
    R = axis_angle_to_matrix(torch.randn(2, 5, 2, 3).double())
    betas = torch.randn(2, 1, 4).double()
    repeated = betas.expand(2, 5, 4)
    torch.testing.assert_close(body.pose_vertices(R, betas), body.pose_vertices(R, repeated))
    torch.testing.assert_close(body.fk_matrices(R, betas), body.fk_matrices(R, repeated))


def test_chunks_do_not_change_the_mesh():
    body = make_body()
    R, betas = axis_angle_to_matrix(torch.randn(2, 5, 2, 3).double()), torch.randn(2, 5, 4).double()
    torch.testing.assert_close(
        body.pose_vertices(R, betas, chunk_size=3), body.pose_vertices(R, betas)
    )


def test_gradients():
    body = make_body(np.random.default_rng(1).normal(size=(3, 3)))
    pose, root = torch.randn(2, 6).double(), torch.randn(2, 3).double()
    betas, transl = torch.randn(2, 4).double(), torch.randn(2, 3).double()
    inputs = [tensor.requires_grad_() for tensor in (pose, betas, root, transl)]
    assert torch.autograd.gradcheck(body.fk, inputs)
    assert torch.autograd.gradcheck(
        lambda *args: body.pose_vertices(*body._rotations(args[0], args[2], args[1]), args[3]),
        inputs,
    )


def test_gradients_are_finite_at_zero_pose():
    body = make_body()
    pose = torch.zeros(2, 6).double().requires_grad_()
    body.fk(pose, torch.zeros(2, 4).double()).square().sum().backward()
    assert torch.isfinite(pose.grad).all() and pose.grad.abs().sum() > 0


def test_casts_start_from_the_precision_of_the_file():
    arrays = make_arrays()
    body = LinearBlendBody(**blend_constants(arrays, 6, np.zeros((0, 3)), num_betas=4))
    assert body.dtype == torch.float32
    betas = torch.zeros(4, dtype=torch.float64)
    exact = torch.from_numpy(arrays.J_regressor @ arrays.v_template)
    torch.testing.assert_close(body.double().skeleton(betas), exact, rtol=1e-14, atol=1e-14)
    again = copy.deepcopy(body.half().float()).double()
    torch.testing.assert_close(again.skeleton(betas), exact, rtol=1e-14, atol=1e-14)


def test_nothing_goes_to_checkpoints():
    body = make_body()
    assert body.state_dict() == {} and list(body.parameters()) == []


def test_autocast_keeps_full_precision():
    body = make_body().float()
    pose, betas = torch.randn(3, 6), torch.randn(3, 4)
    with torch.autocast('cpu', torch.bfloat16):
        joints = body.fk(pose.bfloat16(), betas)
        verts = body.pose_vertices(axis_angle_to_matrix(pose.unflatten(-1, (2, 3))), betas)
    assert joints.dtype == verts.dtype == torch.float32
    torch.testing.assert_close(joints, body.fk(pose.bfloat16().float(), betas))


def test_errors():
    body = make_body()
    with pytest.raises(ShapeError, match='body_pose'):
        body.fk(torch.zeros(2, 9), torch.zeros(2, 4))
    with pytest.raises(ShapeError, match='betas'):
        body.fk(torch.zeros(2, 6), torch.zeros(2, 10))
    with pytest.raises(ShapeError, match='transl'):
        body.fk(torch.zeros(2, 6), torch.zeros(2, 4), transl=torch.zeros(2, 4))
    with pytest.raises(ConfigError, match='between 1 and 4'):
        blend_constants(make_arrays(), 6, np.zeros((0, 3)), num_betas=5)
    with pytest.raises(DataError, match='parents'):
        blend_constants(make_arrays(parents=(-1, 2, 0)), 2, np.zeros((1, 3)), num_betas=4)


@pytest.mark.fixtures
@pytest.mark.parametrize('flat_hand_mean', [False, True])
@pytest.mark.parametrize('gender', ['neutral', 'male', 'female'])
def test_smplx_equals_the_library(fixtures_root, gender, flat_hand_mean):
    body = random_body(2, dtype=torch.float32)
    library = smplx.SMPLX(
        str(fixtures_root / 'body_models' / 'smplx'),
        gender=gender,
        use_pca=False,
        flat_hand_mean=flat_hand_mean,
        batch_size=2,
    )
    expected = library(**body)
    ours = SMPLXBody(fixtures_root, gender=gender, flat_hand_mean=flat_hand_mean)
    torch.testing.assert_close(ours(**body), expected.vertices, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours.fk(**body), expected.joints[:, :22], rtol=1e-5, atol=1e-5)
    assert ours.parents == PARENTS_22
    assert (ours.faces == library.faces_tensor).all()


@pytest.mark.fixtures
@pytest.mark.parametrize('gender', ['neutral', 'male', 'female'])
def test_smpl_equals_the_library(fixtures_root, gender):
    body = random_body(2, pose_size=69, dtype=torch.float32)
    folder = str(fixtures_root / 'body_models' / 'smpl')
    expected = smplx.SMPL(folder, gender=gender, batch_size=2)(**body)
    ours = SMPLBody(fixtures_root, gender=gender)
    torch.testing.assert_close(ours(**body), expected.vertices, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours.fk(**body), expected.joints[:, :24], rtol=1e-5, atol=1e-5)
    assert ours.parents == PARENTS_24


@pytest.mark.fixtures
def test_light_equals_the_full_mesh(fixtures_root):
    body = random_body(2, 3)
    light = SMPLXLight(fixtures_root).double()
    full = SMPLXBody(fixtures_root).double()
    assert light.num_vertices < full.num_vertices / 10
    verts = full(**body)
    coco = load_regressor('coco17', fixtures_root).double()
    ids = load_regressor('verts437', fixtures_root)
    got = light(**body)
    torch.testing.assert_close(got.verts437, verts[..., ids, :], rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(
        got.coco17, coco @ full.to_smpl_vertices(verts), rtol=1e-10, atol=1e-10
    )


@pytest.mark.fixtures
def test_light_takes_matrices_and_moves_with_its_root(fixtures_root):
    light = SMPLXLight(fixtures_root).double()
    body = random_body(3)
    R_body = axis_angle_to_matrix(body['body_pose'].unflatten(-1, (21, 3)))
    R = axis_angle_to_matrix(body['global_orient'])
    at_rest = light.light_matrices(R_body, body['betas'])
    root = light.skeleton(body['betas'])[:, :1]
    for still, moved in zip(at_rest, light(**body)):
        expected = (still - root) @ R.mT + root + body['transl'].unsqueeze(1)
        torch.testing.assert_close(moved, expected)


@pytest.mark.fixtures
def test_light_gradients_reach_every_argument(fixtures_root):
    light = SMPLXLight(fixtures_root)
    body = {key: v.requires_grad_() for key, v in random_body(2, dtype=torch.float32).items()}
    got = light(**body)
    (got.verts437.square().sum() + got.coco17.square().sum()).backward()
    for name, value in body.items():
        assert torch.isfinite(value.grad).all() and value.grad.abs().sum() > 0, name


@pytest.mark.fixtures
def test_smpl_map_accepts_any_leading_shape_and_is_differentiable(fixtures_root):
    full = SMPLXBody(fixtures_root)
    verts = torch.randn(2, 1, full.num_vertices, 3, requires_grad=True)
    mapped = full.to_smpl_vertices(verts)
    smplx2smpl = load_regressor('smplx2smpl', fixtures_root)
    expected = torch.sparse.mm(smplx2smpl, verts.detach()[1, 0])
    torch.testing.assert_close(mapped[1, 0].detach(), expected)
    mapped.sum().backward()
    columns = torch.sparse.sum(smplx2smpl, 0).to_dense()
    torch.testing.assert_close(verts.grad[0, 0, :, 1], columns)
