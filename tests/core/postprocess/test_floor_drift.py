import math

import pytest
import torch

from gvhmr_da_mm.core.conventions import FOOT_JOINTS
from gvhmr_da_mm.core.postprocess.floor_drift import floor_drift_lift

FRAMES = 120
STRIDE = 15


def walk(rise=0.0, drift=0.0):
    """Return a walk (F, 22, 3), and its contacts (F, 6).

    Args:
        rise (float): Height of each step of the floor, metres.
        drift (float): By which the floor rises in each frame by mistake, metres.
    """
    joints = torch.zeros(FRAMES, 22, 3)
    joints[:, :, 1] = 1.0
    frames = torch.arange(FRAMES)
    stands = (frames // STRIDE) % 2 == 0  # on the left foot, then on the right one
    contact = torch.zeros(FRAMES, 6, dtype=torch.bool)
    for feet, down in ((FOOT_JOINTS[:2], stands), (FOOT_JOINTS[2:], ~stands)):
        joints[:, feet, 1] = torch.where(down, 0.0, 0.2)[:, None]
    contact[:, :2], contact[:, 2:4] = stands[:, None], ~stands[:, None]
    contact[40:50] = False
    joints[..., 1] += (rise * (frames // STRIDE) + drift * frames)[:, None]
    return joints, contact


def floor(joints, contact, **kwargs):
    """Return the heights of the lowest foot in contact after the correction."""
    lifted = joints[..., 1] + floor_drift_lift(joints, contact, **kwargs)[:, None]
    feet = lifted[:, FOOT_JOINTS].masked_fill(~contact[:, :4], torch.inf).amin(dim=1)
    return feet[feet.isfinite()]


@pytest.mark.parametrize('step', [0.15, math.inf])
def test_a_floor_does_not_drift(step):
    joints, contact = walk(drift=0.004)
    feet = floor(joints, contact, step=step)
    middle = feet[20:-20]
    assert middle.max() - middle.min() < 0.005
    assert feet.max() - feet.min() < 0.05  # Smoothing acts at the ends.
    before = joints[..., 1][:, FOOT_JOINTS].amin(dim=1)
    assert before.max() - before.min() > 0.45


def test_stairs_remain():
    stairs, contact = walk(rise=0.17)
    assert floor_drift_lift(stairs, contact).abs().max() < 1e-6
    drifting, contact = walk(rise=0.17, drift=0.001)
    right, feet = (floor(joints, contact)[20:-20] for joints in (stairs, drifting))
    error = feet - right
    # The drift between the last frame of a step and the first of the next counts as their height.
    assert error.max() - error.min() < 0.02 < 0.001 * len(feet)
    assert right.max() - right.min() > 0.6
    flat = floor(stairs, contact, step=math.inf)
    assert flat.std() < 0.2 * right.std()


def test_a_flat_walk_is_left_alone():
    joints, contact = walk()
    assert floor_drift_lift(joints, contact).abs().max() < 1e-6
    assert torch.equal(floor_drift_lift(joints, contact & False), torch.zeros(FRAMES))
