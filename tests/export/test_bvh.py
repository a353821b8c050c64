"""An independent reader finds the motion in a BVH file."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from gvhmr_da_mm.core.conventions import BODY_JOINT_NAMES, PARENTS_22
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.export import SkeletonMotion, person_skeleton, write_bvh
from gvhmr_da_mm.export.bvh import EULER_ORDER


@pytest.mark.parametrize('space', ['world', 'camera'])
def test_an_independent_reader_finds_the_joints(dump, person, joints, tmp_path, space):
    bvhtoolbox = pytest.importorskip('bvhtoolbox', reason='requirements/tests.txt has bvhtoolbox')
    from bvhtoolbox.bvhtransforms import get_affines

    path = write_bvh(tmp_path / 'new' / 'turn.bvh', person_skeleton(person, space))
    tree = bvhtoolbox.BvhTree(path.read_text())
    assert tree.nframes == len(dump)
    assert tree.frame_time == pytest.approx(1 / 30, abs=1e-7)
    names = tree.get_joints_names()
    assert sorted(names) == sorted(BODY_JOINT_NAMES)
    placed = {}
    for name in names:  # parents come first
        local = get_affines(tree, name, axes='rzxy')
        # Its translations are those of position channels; other joints sit at their offset.
        parent = tree.joint_parent_index(name)
        if parent >= 0:
            local[:, :3, 3] = tree.joint_offset(name)
            local = placed[names[parent]] @ local
            assert PARENTS_22[BODY_JOINT_NAMES.index(name)] == BODY_JOINT_NAMES.index(names[parent])
        placed[name] = local
    found = np.stack([placed[name][:, :3, 3] for name in BODY_JOINT_NAMES], axis=1) / 100
    expected = joints(space).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_scale(dump, person, tmp_path):
    motion = person_skeleton(person)
    rows = []
    for scale in (1, 100):
        path = write_bvh(tmp_path / 'a.bvh', motion, scale)
        rows.append(np.loadtxt(path.read_text().split('Frame Time:')[1].splitlines()[1:]))
    np.testing.assert_allclose(100 * rows[0][:, :3], rows[1][:, :3], atol=1e-4)
    np.testing.assert_array_equal(rows[0][:, 3:], rows[1][:, 3:])
    torch.testing.assert_close(torch.from_numpy(rows[0][:, :3]), motion.root, rtol=0, atol=1e-6)
    assert rows[0].shape == (len(dump), 3 + 3 * 22)


def turning_motion(frames=120):
    """A skeleton that turns about the vertical twice and leans as it does, arms swinging."""
    time = torch.linspace(0, 1, frames, dtype=torch.float64)
    still = torch.zeros_like(time)
    yaw = axis_angle_to_matrix(torch.stack((still, 4 * np.pi * time, still), dim=-1))
    lean = 0.5 * torch.sin(9 * time)
    R_local = torch.eye(3, dtype=torch.float64).repeat(frames, 22, 1, 1)
    R_local[:, 0] = yaw @ axis_angle_to_matrix(torch.stack((lean, still, 0.4 * lean), dim=-1))
    swing = 1.3 * torch.sin(7 * time)
    R_local[:, 16] = axis_angle_to_matrix(torch.stack((0.3 * swing, swing, -1.2 + still), dim=-1))
    offsets = torch.randn(22, 3, dtype=torch.float64) * 0.2
    return SkeletonMotion(R_local, torch.zeros(frames, 3, dtype=torch.float64), offsets)


def channels(path):
    rows = path.read_text().split('Frame Time:')[1].splitlines()[1:]
    return np.loadtxt(rows)


def test_angles_are_continuous_and_between_frames_the_body_is_between_its_poses(tmp_path):
    motion = turning_motion()
    angles = channels(write_bvh(tmp_path / 'a.bvh', motion))[:, 3:].reshape(len(motion), 22, 3)
    assert np.abs(np.diff(angles, axis=0)).max() < 90
    # What a program shows half-way between two frames, against the rotation half-way.
    between = Rotation.from_euler(EULER_ORDER, (angles[1:, 0] + angles[:-1, 0]) / 2, degrees=True)
    first = Rotation.from_matrix(motion.R_local[:-1, 0].numpy())
    second = Rotation.from_matrix(motion.R_local[1:, 0].numpy())
    half = first * Rotation.from_rotvec((first.inv() * second).as_rotvec() / 2)
    assert np.degrees((between.inv() * half).magnitude()).max() < 1
