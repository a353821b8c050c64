import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError, ShapeError
from gvhmr_da_mm.models.adaptation import MotionQueue, NearestMotionTarget


def poses(*values, length=8):
    """Return clips (B, L, 69) in which every body joint has the same rotation vector."""
    pose = torch.zeros(len(values), length, 69)
    for index, value in enumerate(values):
        pose[index, :, :63:3] = value
    return pose


def queue_of(pose):
    queue = MotionQueue(size=len(pose), max_len=pose.shape[1])
    queue.push(pose, torch.ones(pose.shape[:2], dtype=torch.bool))
    return queue


# Distances by matrix products are exact to about 1e-4.
CLOSE = dict(atol=1e-3, rtol=0)
ALL = torch.ones(3, 8, dtype=torch.bool)


def test_the_distance_to_the_nearest_motion_grades():
    queue = queue_of(poses(0.0, 1.0))
    target = NearestMotionTarget(scale=0.5)(poses(0.0, 0.9, -0.5), ALL, queue)
    expected = torch.exp(-torch.tensor([0.0, 0.1, 0.5]) / 0.5)
    torch.testing.assert_close(target, expected, **CLOSE)


def test_any_frame_of_true_motion_counts_not_the_one_at_the_same_time():
    forward = torch.linspace(0, 1, 8)[None, :, None] * poses(1.0)
    target = NearestMotionTarget(frames=512)(forward.flip(1), ALL[:1], queue_of(forward))
    torch.testing.assert_close(target, torch.ones(1), **CLOSE)


def test_hands_do_not_matter():
    pose = poses(0.3)
    pose[..., 63:] = 5.0
    target = NearestMotionTarget()(pose, ALL[:1], queue_of(poses(0.3)))
    torch.testing.assert_close(target, torch.ones(1), **CLOSE)


def test_padding_may_hold_anything():
    pose, valid = poses(0.2, 0.2, 0.2), ALL.clone()
    pose[1, 4:], valid[1, 4:] = 9.0, False
    valid[2] = False
    target = NearestMotionTarget()(pose, valid, queue_of(poses(0.0)))
    torch.testing.assert_close(target[0], target[1], **CLOSE)
    assert target[2] == 0


def test_an_empty_queue_has_nothing_to_compare_with():
    with pytest.raises(DataError, match='empty'):
        NearestMotionTarget()(poses(0.0), ALL[:1], MotionQueue(size=2, max_len=8))


def test_shapes():
    with pytest.raises(ShapeError, match='body_pose'):
        NearestMotionTarget()(torch.zeros(1, 8, 63), ALL[:1], queue_of(poses(0.0)))
    with pytest.raises(ShapeError, match='valid'):
        NearestMotionTarget()(poses(0.0), ALL[:2], queue_of(poses(0.0)))


@pytest.mark.parametrize('field', ['scale', 'frames', 'stride'])
def test_config(field):
    with pytest.raises(ConfigError, match=field):
        NearestMotionTarget(**{field: 0})
