import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError, ShapeError
from gvhmr_da_mm.models.adaptation import MotionQueue


def clips(*values, length=4):
    pose = torch.tensor(values, dtype=torch.float32)[:, None, None].expand(-1, length, 69)
    return pose, torch.ones(len(values), length, dtype=torch.bool)


def contents(queue):
    return sorted(queue.body_pose[: len(queue), 0, 0].tolist())


def test_first_in_first_out():
    queue = MotionQueue(size=3, max_len=4)
    assert len(queue) == 0
    queue.push(*clips(1, 2))
    assert len(queue) == 2 and contents(queue) == [1, 2]
    queue.push(*clips(3, 4))
    assert len(queue) == 3 and contents(queue) == [2, 3, 4]
    queue.push(*clips(5, 6, 7, 8, 9))
    assert contents(queue) == [7, 8, 9]
    queue.push(*clips(10))
    assert contents(queue) == [8, 9, 10]


def test_shorter_clips_are_padded_and_padding_is_cleared():
    queue = MotionQueue(size=2, max_len=6)
    pose, valid = clips(1, 2)
    pose = pose.clone()
    pose[1, 3:], valid[1, 3:] = float('nan'), False
    queue.push(pose, valid)
    pose, valid = queue.sample(20)
    assert pose.shape == (20, 6, 69) and pose.isfinite().all()
    assert set(valid.sum(1).tolist()) == {3, 4}
    assert (pose[..., 0].bool() == valid).all()


def test_sampling_covers_the_queue_and_follows_the_generator():
    queue = MotionQueue(size=8, max_len=4)
    queue.push(*clips(1, 2, 3))
    draw = [queue.sample(50, torch.Generator().manual_seed(0))[0] for _ in range(2)]
    assert torch.equal(*draw)
    assert set(draw[0][:, 0, 0].tolist()) == {1, 2, 3}


def test_travels_with_the_checkpoint():
    queue = MotionQueue(size=3, max_len=4)
    queue.push(*clips(1, 2, 3, 4))
    restored = MotionQueue(size=3, max_len=4)
    restored.load_state_dict(queue.state_dict())
    for each in (queue, restored):
        each.push(*clips(5))
    assert contents(restored) == contents(queue) == [3, 4, 5]


def test_holds_no_graph_and_no_reference():
    queue = MotionQueue(size=3, max_len=4)
    pose = torch.ones(1, 4, 69, requires_grad=True)
    queue.push(pose, torch.ones(1, 4, dtype=torch.bool))
    assert not queue.sample(1)[0].requires_grad
    queue.sample(1)[0].zero_()
    assert contents(queue) == [1]


def test_errors():
    queue = MotionQueue(size=3, max_len=4)
    with pytest.raises(DataError, match='empty'):
        queue.sample(2)
    with pytest.raises(ShapeError, match='critic.queue.max_len'):
        queue.push(*clips(1, length=5))
    with pytest.raises(ShapeError, match='valid'):
        queue.push(torch.zeros(2, 4, 69), torch.ones(2, 3, dtype=torch.bool))
    with pytest.raises(ConfigError):
        MotionQueue(size=0)
