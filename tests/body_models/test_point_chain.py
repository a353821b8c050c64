"""Points of a chain and their written-out derivative against the body and autograd."""

import pytest
import torch

from gvhmr_da_mm.body_models import PointChain, get_regressed_body
from gvhmr_da_mm.core.conventions import FOOT_VERTEX_IDS
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix

FRAMES = 4


@pytest.fixture(params=[('smplx', 'coco17', ()), ('smpl', 'smpl24', FOOT_VERTEX_IDS)])
def posed(request, toy_root):
    kind, regressor, vertex_ids = request.param
    body = get_regressed_body(kind, regressor, vertex_ids, data_root=toy_root)
    vectors = 0.5 * torch.randn(FRAMES, body.num_posed, 3)
    return body, axis_angle_to_matrix(vectors), torch.randn(FRAMES, body.num_betas)


def frames_last(R):
    return R.permute(2, 3, 1, 0)


def test_points_are_those_of_the_body(posed):
    body, R_local, betas = posed
    points = PointChain(body, betas).pose(frames_last(R_local)).points
    expected = body.pose_vertices(R_local[:, 1:], betas, R_local[:, 0])
    torch.testing.assert_close(points.permute(2, 1, 0), expected, atol=1e-5, rtol=0)


def test_torques_are_the_derivative_by_turns_of_the_joints(posed):
    body, R_local, betas = posed
    chain = PointChain(body, betas)
    forces = torch.randn(FRAMES, body.num_vertices, 3)
    small = torch.zeros(FRAMES, body.num_posed, 3, requires_grad=True)
    turned = R_local @ axis_angle_to_matrix(small)
    points = body.pose_vertices(turned[:, 1:], betas, turned[:, 0])
    on_rows = torch.randn(2, 3, body.num_posed, FRAMES)
    work = (points * forces).sum() + (turned[..., :2, :] * on_rows.permute(3, 2, 0, 1)).sum()
    (expected,) = torch.autograd.grad(work, small)
    posed = chain.pose(frames_last(R_local))
    torques = chain.torques(posed, forces.permute(2, 1, 0), on_rows)
    torch.testing.assert_close(torques.permute(2, 1, 0), expected, atol=1e-4, rtol=1e-4)
