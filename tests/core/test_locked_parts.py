import pytest
import torch

from gvhmr_da_mm.core.conventions import BODY_JOINT_NAMES
from gvhmr_da_mm.core.locked_parts import BODY_PARTS, describe_locked, locked_parts


@pytest.fixture
def pose():
    """Return a motion of SMPL's 23 joints."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(40, 69, generator=generator).cumsum(dim=0) * 0.02


def columns(name):
    first = 3 * (BODY_JOINT_NAMES.index(name) - 1)
    return slice(first, first + 3)


def lock(pose, *names):
    for name in names:
        pose[:, columns(name)] = torch.tensor([0.3, -0.1, 0.2])


def test_parts_that_do_not_turn_are_named(pose):
    assert locked_parts(pose) == []
    lock(pose, 'neck', 'head', 'left_elbow')
    assert locked_parts(pose) == ['head', 'left_elbow']
    pose[:, columns('head')] += 1e-4 * torch.rand(40, 3)  # Of a conversion.
    assert locked_parts(pose) == ['head', 'left_elbow']
    pose[7, columns('head')] += 0.01
    assert locked_parts(pose) == ['left_elbow']


def test_skeletons_with_fewer_joints_are_no_fault(pose):
    lock(pose, 'neck', 'spine1', 'spine2', 'left_collar', 'left_foot', 'right_wrist')
    assert locked_parts(pose) == []


def test_the_whole_body_has_a_name_of_its_own(pose):
    assert describe_locked(locked_parts(pose[:1].expand(40, -1))) == 'the whole body'
    assert describe_locked(['spine', 'head']) == 'spine, head'


def test_short_motions_are_not_judged():
    assert locked_parts(torch.zeros(29, 63)) == []
    assert locked_parts(torch.zeros(30, 63)) == list(BODY_PARTS)


def test_parts_are_joints_and_lack_toes_and_wrists():
    joints = [joint for part in BODY_PARTS.values() for joint in part]
    assert sorted(joints) == sorted(
        name for name in BODY_JOINT_NAMES[1:] if not name.endswith(('foot', 'wrist'))
    )
