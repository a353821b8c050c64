import pytest

from gvhmr_da_mm.core import conventions as c
from gvhmr_da_mm.core.layout import NUM_BODY_JOINTS, NUM_COCO, NUM_JOINTS, NUM_STATIC_JOINTS

FLIPS = {
    'coco': (c.COCO_FLIP_INDEX, c.COCO_JOINT_NAMES),
    'joints': (c.JOINT_FLIP_INDEX, c.BODY_JOINT_NAMES),
    'body': (c.BODY_FLIP_INDEX, c.BODY_JOINT_NAMES[1:]),
    'static': (c.STATIC_FLIP_INDEX, tuple(c.BODY_JOINT_NAMES[j] for j in c.STATIC_JOINTS)),
}


def test_tables_have_their_sizes():
    assert len(c.BODY_JOINT_NAMES) == len(c.PARENTS_22) == NUM_JOINTS
    assert len(c.PARENTS_24) == NUM_JOINTS + 2
    assert len(c.COCO_JOINT_NAMES) == NUM_COCO
    assert len(c.BODY_FLIP_INDEX) == NUM_BODY_JOINTS
    assert len(c.STATIC_JOINTS) == len(c.STATIC_FLIP_INDEX) == NUM_STATIC_JOINTS


@pytest.mark.parametrize('name', FLIPS)
def test_flips_swap_left_and_right(name):
    index, names = FLIPS[name]
    assert sorted(index) == list(range(len(names)))
    assert [index[other] for other in index] == list(range(len(names)))
    for here, there in enumerate(index):
        side, _, rest = names[here].partition('_')
        if side in ('left', 'right'):
            assert names[there] == f'{"right" if side == "left" else "left"}_{rest}'
        else:
            assert there == here


def test_parents_come_first_and_mirror():
    assert c.PARENTS_22[0] == -1
    assert all(0 <= parent < joint for joint, parent in enumerate(c.PARENTS_24) if joint)
    for joint, parent in enumerate(c.PARENTS_22[1:], start=1):
        assert c.PARENTS_22[c.JOINT_FLIP_INDEX[joint]] == c.JOINT_FLIP_INDEX[parent]


def test_parents_are_neighbours():
    """The parent of a limb joint is on the same side: of a left knee the left hip."""
    names = c.BODY_JOINT_NAMES
    chain = {
        'knee': 'hip', 'ankle': 'knee', 'foot': 'ankle', 'elbow': 'shoulder', 'wrist': 'elbow',
        'shoulder': 'collar',
    }  # fmt: skip
    for joint, name in enumerate(names):
        side, _, part = name.partition('_')
        if part in chain:
            assert names[c.PARENTS_22[joint]] == f'{side}_{chain[part]}'


def test_static_joints_are_feet_and_hands():
    assert [c.BODY_JOINT_NAMES[joint] for joint in c.STATIC_JOINTS] == [
        'left_ankle', 'left_foot', 'right_ankle', 'right_foot', 'left_wrist', 'right_wrist',
    ]  # fmt: skip


def test_hips_of_coco():
    assert [c.COCO_JOINT_NAMES[joint] for joint in c.COCO_HIPS] == ['left_hip', 'right_hip']
