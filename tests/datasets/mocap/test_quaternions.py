import pytest
import roma
import torch

from gvhmr_da_mm.datasets.mocap.quaternions import (
    from_axis_angle,
    left_product,
    slerp,
    to_axis_angle,
    to_matrix,
)


@pytest.fixture
def vectors():
    """Return axis-angle vectors (200, 3), among them none, tiny ones and nearly half turns."""
    vectors = torch.nn.functional.normalize(torch.randn(200, 3), dim=-1)
    angles = torch.rand(200, 1) * 3.1
    angles[:4, 0] = torch.tensor([0.0, 1e-7, 1e-3, 3.1415])
    return vectors * angles


def test_conversions_are_those_of_roma(vectors):
    quaternions = from_axis_angle(vectors)
    torch.testing.assert_close(quaternions, roma.rotvec_to_unitquat(vectors), atol=1e-6, rtol=0)
    torch.testing.assert_close(to_axis_angle(quaternions), vectors, atol=1e-5, rtol=0)
    torch.testing.assert_close(to_axis_angle(-quaternions), vectors, atol=1e-5, rtol=0)
    matrices = roma.unitquat_to_rotmat(quaternions)
    torch.testing.assert_close(to_matrix(quaternions), matrices, atol=1e-6, rtol=0)


def test_products_and_arcs_are_those_of_roma(vectors):
    quaternions = from_axis_angle(vectors)
    product = roma.quat_product(quaternions[7].expand(200, 4), quaternions)
    torch.testing.assert_close(
        left_product(quaternions[7], quaternions), product, atol=1e-6, rtol=0
    )
    other = from_axis_angle(vectors.flip(0))
    for share in (0.0, 0.3, 1.0):
        expected = roma.unitquat_slerp(quaternions, other, torch.tensor([share]))[0]
        found = slerp(quaternions, other, torch.full((200, 1), share))
        # A quaternion and its negative are the same rotation.
        sign = (found * expected).sum(dim=-1, keepdim=True).sign()
        torch.testing.assert_close(found * sign, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(
        slerp(quaternions, quaternions, torch.full((200, 1), 0.4)), quaternions, atol=1e-6, rtol=0
    )
