import pytest
import torch

from gvhmr_da_mm.core.conventions import PARENTS_22
from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.core.kinematics import bone_vectors, forward_kinematics, posed_joints
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix

# A child before its parent, and two roots.
UNSORTED = (2, -1, 1, 0, -1, 4)


def _random_pose(*leading, parents, dtype=torch.float64):
    R_local = axis_angle_to_matrix(torch.randn(*leading, len(parents), 3, dtype=dtype))
    return R_local, torch.randn(*leading, len(parents), 3, dtype=dtype)


def _one_by_one(R_local, joints_rest, parents):
    """Follow each joint's chain up to its root."""
    R_global, positions = torch.zeros_like(R_local), torch.zeros_like(joints_rest)
    for joint in range(len(parents)):
        rotation, position = torch.eye(3, dtype=R_local.dtype), joints_rest.new_zeros(3)
        here = joint
        while here >= 0:
            parent = parents[here]
            rotation = R_local[here] @ rotation
            position = (
                joints_rest[here]
                - (joints_rest[parent] if parent >= 0 else 0)
                + (R_local[here] @ position)
            )
            here = parent
        R_global[joint], positions[joint] = rotation, position
    return R_global, positions


@pytest.mark.parametrize('parents', [PARENTS_22, UNSORTED, (-1,)])
def test_equals_walking_each_chain(parents):
    R_local, joints = _random_pose(parents=parents)
    expected = _one_by_one(R_local, joints, parents)
    posed = forward_kinematics(R_local, joints, parents)
    for got, wanted in zip(posed, expected):
        torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)
    assert torch.equal(posed_joints(R_local, joints, parents), posed[1])


def test_rest_pose_stays():
    _, joints = _random_pose(5, parents=PARENTS_22)
    R_global, positions = forward_kinematics(
        torch.eye(3).double().expand(22, 3, 3), joints, PARENTS_22
    )
    torch.testing.assert_close(positions, joints, rtol=1e-12, atol=1e-12)
    assert R_global.shape == (5, 22, 3, 3)


def test_root_rotation_turns_the_body_about_the_root_joint():
    R_local, joints = _random_pose(parents=PARENTS_22)
    R = axis_angle_to_matrix(torch.randn(3, dtype=torch.float64))
    _, before = forward_kinematics(R_local, joints, PARENTS_22)
    turned = torch.cat((R @ R_local[:1], R_local[1:]))
    _, after = forward_kinematics(turned, joints, PARENTS_22)
    torch.testing.assert_close(after, (before - joints[0]) @ R.T + joints[0])


def test_leading_shapes_broadcast():
    R_local, _ = _random_pose(2, 3, parents=PARENTS_22)
    _, joints = _random_pose(2, 1, parents=PARENTS_22)
    R_global, positions = forward_kinematics(R_local, joints, PARENTS_22)
    assert R_global.shape == (2, 3, 22, 3, 3) and positions.shape == (2, 3, 22, 3)
    _, one = forward_kinematics(R_local[1, 2], joints[1, 0], PARENTS_22)
    torch.testing.assert_close(positions[1, 2], one)


def test_bone_vectors_add_up_to_the_joints():
    _, joints = _random_pose(4, parents=PARENTS_22)
    bones = bone_vectors(joints, PARENTS_22)
    wrist = bones[:, [20, 18, 16, 13, 9, 6, 3, 0]].sum(1)
    torch.testing.assert_close(wrist, joints[:, 20])


def test_gradients():
    R_local, joints = _random_pose(2, parents=UNSORTED)
    inputs = R_local.requires_grad_(), joints.requires_grad_()
    assert torch.autograd.gradcheck(lambda R, j: forward_kinematics(R, j, UNSORTED), inputs)


def test_first_call_in_inference_mode_does_not_break_training():
    parents = (-1, 0, 1, 1, 0)  # a tree that no other test uses: its plan must be made here
    R_local, joints = _random_pose(parents=parents)
    with torch.inference_mode():
        forward_kinematics(R_local, joints, parents)
    R_local.requires_grad_()
    forward_kinematics(R_local, joints, parents)[1].sum().backward()
    assert R_local.grad.abs().sum() > 0


def test_errors():
    R_local, joints = _random_pose(parents=PARENTS_22)
    with pytest.raises(ShapeError, match='R_local'):
        forward_kinematics(R_local[1:], joints, PARENTS_22)
    with pytest.raises(ShapeError, match='joints_rest'):
        forward_kinematics(R_local, joints[1:], PARENTS_22)
    with pytest.raises(ConfigError, match='cycle'):
        forward_kinematics(R_local[:3], joints[:3], (-1, 2, 1))
    with pytest.raises(ConfigError, match='below 3 or -1, got 7'):
        forward_kinematics(R_local[:3], joints[:3], (-1, 0, 7))
