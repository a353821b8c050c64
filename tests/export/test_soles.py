import numpy as np
import pytest
import torch

from gvhmr_da_mm.body_models import make_body_rig
from gvhmr_da_mm.export import SkeletonMotion, put_on_soles
from gvhmr_da_mm.export.skeleton_motion import bones_of
from tests.export.posed_skeleton import posed

FRAMES = 50


@pytest.fixture
def rig(body):
    return make_body_rig(body, torch.zeros(10))


@pytest.fixture
def standing(rig):
    """Return a body at rest whose lowest foot joint is at y = 0, and which jumps at the end."""
    joints = torch.from_numpy(rig.joints[:22]).double()
    R = torch.eye(3, dtype=torch.float64).repeat(FRAMES, 22, 1, 1)
    root = (joints[0] - joints[[10, 11]].mean(dim=0)).repeat(FRAMES, 1)
    root[:, 1] = joints[0, 1] - joints[[7, 8, 10, 11], 1].min()
    root[40:, 1] += 0.4
    return SkeletonMotion(R, root, bones_of(joints.expand(FRAMES, 22, 3), R))


def lowest(motion, rig):
    """Return the height (F,) of the whole mesh above y = 0."""
    R_global, _ = posed(motion)
    joints = torch.from_numpy(rig.joints).double() - torch.from_numpy(rig.joints[0]).double()
    return np.array(
        [
            rig.pose(R.numpy(), (joints + root).numpy())[:, 1].min()
            for R, root in zip(R_global, motion.root)
        ]
    )


def test_the_soles_stand_on_the_ground(rig, standing):
    before, after = lowest(standing, rig), lowest(put_on_soles(standing, rig), rig)
    assert (before[:40] < -0.01).all()
    np.testing.assert_allclose(after[:40], 0, atol=1e-4)
    np.testing.assert_allclose(after[40:], 0.4, atol=1e-4)


def test_a_bad_frame_does_not_lift_the_body(rig, standing):
    standing.root[7, 1] -= 0.04
    after = lowest(put_on_soles(standing, rig), rig)
    np.testing.assert_allclose(after[[6, 8]], 0, atol=1e-4)


def test_one_who_is_nowhere_near_the_ground_stays(rig, standing):
    standing.root[:, 1] += 5
    assert put_on_soles(standing, rig) is standing
