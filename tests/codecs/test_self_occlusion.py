import pytest
import torch

from gvhmr_da_mm.codecs.self_occlusion import self_occlusion
from gvhmr_da_mm.core.conventions import COCO_JOINT_NAMES


def standing(depth=4.0):
    """Return the COCO joints (17, 3) of someone who faces the camera."""
    places = dict(eye=(0.03, -0.65), ear=(0.08, -0.62), shoulder=(0.18, -0.45))
    places.update(elbow=(0.3, -0.2), wrist=(0.35, 0.05))
    places.update(hip=(0.12, 0.05), knee=(0.13, 0.45), ankle=(0.14, 0.85))
    joints = torch.zeros(17, 3)
    joints[0] = torch.tensor([0.0, -0.62, -0.1])
    for index, name in enumerate(COCO_JOINT_NAMES[1:], 1):
        side, part = name.split('_')
        x, y = places[part]
        joints[index] = torch.tensor([x if side == 'left' else -x, y, 0.0])
    return joints + torch.tensor([0.0, 0.0, depth])


WRIST = COCO_JOINT_NAMES.index('left_wrist')
KNEE, OTHER_KNEE = (COCO_JOINT_NAMES.index(f'{side}_knee') for side in ('left', 'right'))


def test_nothing_is_hidden_of_someone_who_stands_apart():
    assert not self_occlusion(standing()).any()


@pytest.mark.parametrize('depth, hidden', [(0.25, True), (-0.25, False)])
def test_a_hand_on_the_back_is_hidden_and_one_on_the_belly_is_not(depth, hidden):
    joints = standing()
    joints[WRIST] = torch.tensor([0.02, -0.1, 4.0 + depth])
    found = self_occlusion(joints)
    assert bool(found[WRIST]) is hidden
    assert found.sum() == found[WRIST]


def test_the_far_leg_of_someone_seen_from_the_side_is_hidden():
    joints = standing()
    turned = joints.clone()
    turned[:, 0], turned[:, 2] = 0.1 * joints[:, 0], 4 + joints[:, 0]
    found = self_occlusion(turned)
    assert found[KNEE] and not found[OTHER_KNEE]


def test_leading_shapes():
    joints = standing().expand(2, 5, 17, 3)
    assert self_occlusion(joints).shape == (2, 5, 17)
