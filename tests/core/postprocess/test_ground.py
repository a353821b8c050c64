"""Height of the ground: foot contacts count, single wrong frames do not."""

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.postprocess import correct_moving_camera, ground_height

LEFT_WRIST, HEAD = 20, 15


def standing(frames=800):
    """A body (1, F, 22, 3) whose toes are at y = 0 and whose ankles are 8 cm higher."""
    joints = torch.zeros(1, frames, 22, 3, dtype=torch.float64)
    joints[..., 1] = torch.linspace(1.0, 1.6, 22, dtype=torch.float64)
    joints[:, :, [7, 8], 1] = 0.08
    joints[:, :, [10, 11], 1] = 0.0
    return joints


def everywhere(joints, value=True):
    return torch.full((*joints.shape[:2], 6), value), torch.ones(joints.shape[:2], dtype=torch.bool)


def test_one_wrong_frame_does_not_lift_the_body():
    joints = standing()
    joints[:, 18, LEFT_WRIST, 1] = -0.3
    logits = torch.full((1, 800, 6), 4.0, dtype=torch.float64)
    logits[..., 4:] = -4.0  # a hand that stands still would hold the body
    transl = torch.zeros(1, 800, 3, dtype=torch.float64)
    assert correct_moving_camera(transl, joints, logits)[..., 1].abs().max() == 0
    published = correct_moving_camera(transl, joints, logits, compat='published')
    torch.testing.assert_close(published[..., 1], torch.full_like(published[..., 1], 0.3))
    with pytest.raises(ConfigError, match='compat'):
        correct_moving_camera(transl, joints, logits, compat='other')


@pytest.mark.parametrize('level', [-0.7, 0.0, 2.5])
def test_bad_feet_in_a_few_frames_count_neither(level):
    joints = standing(100) + torch.tensor([0, level, 0])
    joints[:, 30:38, [7, 8, 10, 11], 1] -= 0.4
    assert ground_height(joints, *everywhere(joints)).item() == pytest.approx(level)


def test_feet_in_the_air_are_no_ground():
    joints = standing(100)
    joints[:, 40:, :, 1] += 0.9
    contact, valid = everywhere(joints)
    contact[:, 40:] = False
    assert ground_height(joints, contact, valid).item() == 0


def test_of_a_body_on_stairs_the_lowest_step_counts():
    joints = standing(100)
    joints[..., 1] += (torch.arange(100) // 25)[None, :, None] * 0.18
    assert ground_height(joints, *everywhere(joints)).item() == 0


def test_one_who_stands_on_the_hands_stands_on_the_ground():
    joints = standing(60)
    joints[..., 1] = 1.6 - joints[..., 1]
    joints[:, :, [20, 21], 1] = 0.02
    assert ground_height(joints, *everywhere(joints, False)).item() == pytest.approx(0, abs=0.03)


def test_without_contacts_all_frames_count_and_padding_never():
    joints = standing(50)
    joints[:, 30:, :, 1] -= 3
    contact, valid = everywhere(joints, False)
    valid[:, 30:] = False
    assert ground_height(joints, contact, valid).item() == 0
    assert ground_height(joints, contact, torch.zeros_like(valid)).isinf().all()


def test_clips_of_a_batch_do_not_share_a_ground():
    joints = torch.cat((standing(20), standing(20) + 1.0))
    contact, valid = everywhere(joints)
    contact[1] = False
    torch.testing.assert_close(
        ground_height(joints, contact, valid), torch.tensor([0.0, 1.0]).double()
    )
