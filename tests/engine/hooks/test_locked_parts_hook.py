from types import SimpleNamespace

import pytest
import torch

from gvhmr_da_mm.datasets import AMASSDataset, ClipKey
from gvhmr_da_mm.engine import LockedPartsHook
from tests.datasets.mocap import recordings


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, line):
        self.lines.append(line)


@pytest.fixture
def runner():
    return SimpleNamespace(logger=Log())


def sample(sequence, locked, dataset='bedlam', frames=60):
    pose = torch.randn(frames, 63).cumsum(dim=0) * 0.02
    if locked:
        pose[:, [*range(33, 36), *range(42, 45)]] = 0.2  # Neck and head.
    labels = SimpleNamespace(body_pose=torch.cat((pose, torch.zeros(20, 63))))  # Padding.
    return SimpleNamespace(dataset=dataset, sequence=sequence, length=frames, gt_instances=labels)


def epoch(hook, runner, *samples):
    for index, one in enumerate(samples):
        hook.before_train_iter(runner, index, dict(data_samples=[one]))
    hook.after_train_epoch(runner)


def test_sequences_with_a_locked_head_are_named_once_for_each_dataset(runner):
    hook, unlabelled = LockedPartsHook(), SimpleNamespace(dataset='emdb_train', sequence='a')
    mixed = sample('b', True), sample('b', False)  # It turns in one of two clips.
    for _ in range(2):
        epoch(hook, runner, sample('a', True), *mixed, sample('c', False), unlabelled)
    (line,) = runner.logger.lines
    assert line.startswith('bedlam: in 1 of the 3 sequences') and 'a (head)' in line
    assert '`exclude`' in line
    epoch(hook, runner, sample('d', True, 'rich'), sample('a', True))
    assert len(runner.logger.lines) == 2 and runner.logger.lines[1].startswith(
        'rich: in 1 of the 1'
    )


def test_nothing_is_said_of_bodies_that_move_and_of_batches_of_others(runner):
    hook = LockedPartsHook()
    epoch(hook, runner, sample('a', False), sample('b', True, frames=20))
    hook.before_train_iter(runner, 0, [torch.zeros(1)])
    hook.after_train(runner)
    assert runner.logger.lines == []


def test_a_recording_without_a_head_is_found_through_virtual_cameras(runner, toy_root, tmp_path):
    poses = recordings.fields()['poses']
    poses[:, 45:48] = 0.2
    recordings.write(tmp_path / 'headless.npz', poses=poses)
    dataset = AMASSDataset(toy_root, motions=tmp_path)
    hook = LockedPartsHook()
    epoch(hook, runner, *(dataset[ClipKey(0, seed)]['data_samples'] for seed in range(4)))
    (line,) = runner.logger.lines
    assert 'headless (head)' in line
