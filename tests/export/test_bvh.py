"""What is written is what an independent reader finds."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.conventions import BODY_JOINT_NAMES, PARENTS_22
from gvhmr_da_mm.export import predicted_motion, write_bvh


@pytest.mark.parametrize('space', ['world', 'camera'])
def test_an_independent_reader_finds_the_joints(dump, joints, tmp_path, space):
    bvhtoolbox = pytest.importorskip('bvhtoolbox', reason='requirements/tests.txt has bvhtoolbox')
    from bvhtoolbox.bvhtransforms import get_affines

    path = write_bvh(tmp_path / 'new' / 'turn.bvh', predicted_motion(dump, space))
    tree = bvhtoolbox.BvhTree(path.read_text())
    assert tree.nframes == len(dump)
    assert tree.frame_time == pytest.approx(1 / 30, abs=1e-7)
    names = tree.get_joints_names()
    assert sorted(names) == sorted(BODY_JOINT_NAMES)
    placed = {}
    for name in names:  # parents come first
        local = get_affines(tree, name, axes='rzyx')
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


def test_scale(dump, tmp_path):
    motion = predicted_motion(dump)
    rows = []
    for scale in (1, 100):
        path = write_bvh(tmp_path / 'a.bvh', motion, scale)
        rows.append(np.loadtxt(path.read_text().split('Frame Time:')[1].splitlines()[1:]))
    np.testing.assert_allclose(100 * rows[0][:, :3], rows[1][:, :3], atol=1e-4)
    np.testing.assert_array_equal(rows[0][:, 3:], rows[1][:, 3:])
    torch.testing.assert_close(torch.from_numpy(rows[0][:, :3]), motion.root, rtol=0, atol=1e-6)
    assert rows[0].shape == (len(dump), 3 + 3 * 22)
