import torch

from gvhmr_da_mm.core.conventions import FOOT_JOINTS
from gvhmr_da_mm.core.postprocess.flat_floor import flat_floor_lift

FRAMES = 120


def climbing(slope=0.004):
    """Return a walk (F, 22, 3) whose floor rises by mistake, and its contacts (F, 6)."""
    joints = torch.zeros(FRAMES, 22, 3)
    joints[:, :, 1] = 1.0
    frames = torch.arange(FRAMES)
    stands = (frames // 15) % 2 == 0  # on the left foot, then on the right one
    contact = torch.zeros(FRAMES, 6, dtype=torch.bool)
    for feet, down in ((FOOT_JOINTS[:2], stands), (FOOT_JOINTS[2:], ~stands)):
        joints[:, feet, 1] = torch.where(down, 0.0, 0.2)[:, None]
    contact[:, :2], contact[:, 2:4] = stands[:, None], ~stands[:, None]
    contact[40:50] = False
    joints[..., 1] += slope * frames[:, None]
    return joints, contact


def test_steps_are_at_one_height():
    joints, contact = climbing()
    lifted = joints[..., 1] + flat_floor_lift(joints, contact)[:, None]
    feet = lifted[:, FOOT_JOINTS].masked_fill(~contact[:, :4], torch.inf).amin(dim=1)
    feet = feet[feet.isfinite()]
    middle = feet[20:-20]
    assert middle.max() - middle.min() < 0.005
    assert feet.max() - feet.min() < 0.05  # Smoothing acts at the ends.
    before = joints[..., 1][:, FOOT_JOINTS].amin(dim=1)
    assert before.max() - before.min() > 0.45


def test_a_flat_walk_is_left_alone():
    joints, contact = climbing(slope=0.0)
    assert flat_floor_lift(joints, contact).abs().max() < 1e-6
    assert torch.equal(flat_floor_lift(joints, contact & False), torch.zeros(FRAMES))
