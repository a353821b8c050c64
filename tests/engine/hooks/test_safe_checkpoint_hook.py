import errno
import os
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub, MMLogger

from gvhmr_da_mm.core.errors import ConfigError, StorageError
from gvhmr_da_mm.engine import SafeCheckpointHook
from gvhmr_da_mm.engine.checkpoint_files import find_last_checkpoint
from gvhmr_da_mm.fileio import atomic_file

BATCHES = 6


@pytest.fixture
def train(run, monkeypatch):
    """Train the toy model with our checkpoint hook in place of MMEngine's."""

    def _train(epochs=3, hooks=(), resume=False, **kwargs):
        kwargs = dict(dict(interval=1, max_keep_ckpts=2), **kwargs)
        return run([SafeCheckpointHook(**kwargs), *hooks], epochs=epochs, resume=resume)

    # The runner of these tests has MMEngine's hook by default.
    from mmengine.hooks import CheckpointHook

    for stage in ('before_train', 'after_train_epoch', 'after_train_iter', 'after_train'):
        original = getattr(CheckpointHook, stage)

        def only_ours(self, *args, original=original, **kwargs):
            if isinstance(self, SafeCheckpointHook):
                return original(self, *args, **kwargs)
            return None

        monkeypatch.setattr(CheckpointHook, stage, only_ours)
    return _train


def names(folder):
    return sorted(p.name for p in folder.glob('*.pth'))


def writes_fail(monkeypatch, when):
    count = iter(range(10**6))

    def open_(path, mode):
        if when(next(count)):
            raise OSError(errno.ENOSPC, 'No space left on device')
        return open(path, mode)

    monkeypatch.setattr(atomic_file, 'open', open_, raising=False)


def test_the_last_ones_are_kept(train, tmp_path):
    train(epochs=4)
    assert names(tmp_path) == ['epoch_3.pth', 'epoch_4.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'epoch_4.pth')


def test_the_count_goes_on_after_resuming(train, tmp_path):
    train(epochs=2)
    train(epochs=4, resume=True)
    assert names(tmp_path) == ['epoch_3.pth', 'epoch_4.pth']


def test_an_old_one_goes_when_the_new_one_is_there(train, tmp_path, monkeypatch):
    seen, replace = [], os.replace

    def watch(source, target):
        seen.append(names(tmp_path))
        replace(source, target)

    monkeypatch.setattr(os, 'replace', watch)
    train(epochs=3, max_keep_ckpts=1)
    # Each checkpoint is followed by its pointer.
    assert seen == [
        [],
        ['epoch_1.pth'],
        ['epoch_1.pth'],
        ['epoch_1.pth', 'epoch_2.pth'],
        ['epoch_2.pth'],
        ['epoch_2.pth', 'epoch_3.pth'],
    ]


def test_a_rolling_one_replaces_itself(train, tmp_path):
    train(epochs=1, rolling_interval=4, interval=10, save_last=False)
    assert names(tmp_path) == ['rolling.pth']
    assert torch.load(tmp_path / 'rolling.pth', weights_only=False)['meta']['iter'] == 4
    assert find_last_checkpoint(tmp_path) == str(tmp_path / 'rolling.pth')


def test_a_rolling_one_makes_room_for_one_to_keep(train, tmp_path):
    train(epochs=2, rolling_interval=4)
    assert names(tmp_path) == ['epoch_1.pth', 'epoch_2.pth']


def test_by_iteration(train, tmp_path):
    train(epochs=2, by_epoch=False, interval=4)
    assert names(tmp_path) == ['iter_12.pth', 'iter_8.pth']


def test_a_full_disk_does_not_stop_training(train, tmp_path, monkeypatch, capfd):
    writes_fail(monkeypatch, lambda number: number == 2)  # the second checkpoint
    train(epochs=4, max_keep_ckpts=1)
    said = ''.join(capfd.readouterr())
    assert 'epoch_2.pth could not be written' in said and 'Training continues' in said
    assert names(tmp_path) == ['epoch_4.pth']
    content = torch.load(tmp_path / 'epoch_4.pth', weights_only=False)
    assert content['message_hub']['runtime_info']['keep_ckpt_ids'] == [4]


def test_a_full_disk_leaves_earlier_ones_in_place(train, tmp_path, monkeypatch):
    writes_fail(monkeypatch, lambda number: number >= 2)
    with pytest.raises(StorageError, match=r'epoch_3.pth .*No space.* MB are free'):
        train(epochs=3, max_keep_ckpts=1)
    assert names(tmp_path) == ['epoch_1.pth']
    assert find_last_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')
    assert not list(tmp_path.glob('.*.partial'))


def test_a_truncated_last_checkpoint_is_passed_over(train, tmp_path, warnings_of):
    train(epochs=2)
    last = tmp_path / 'epoch_2.pth'
    last.write_bytes(last.read_bytes()[:-100])
    runner = train(epochs=2, resume=True)
    assert runner.train_loop.epoch == 2 and what_was_trained(runner) == BATCHES
    assert any('epoch_1.pth instead' in message for message in warnings_of)


def what_was_trained(runner):
    return len(runner.model.thresholds)


def test_leftovers_are_removed(train, tmp_path):
    (tmp_path / '.epoch_1.pth.123.partial').write_bytes(b'half')
    train(epochs=1)
    assert not list(tmp_path.glob('.*.partial'))


def test_a_store_elsewhere_is_left_to_mmengine():
    assert SafeCheckpointHook().backend_args == dict(backend='gvhmr_da_mm.atomic')
    assert SafeCheckpointHook(out_dir='s3://bucket/run').backend_args is None
    own = dict(backend='local')
    assert SafeCheckpointHook(backend_args=own).backend_args == own


def test_an_impossible_interval():
    with pytest.raises(ConfigError, match='rolling_interval'):
        SafeCheckpointHook(rolling_interval=0)


def test_a_fresh_run_in_a_used_folder_says_so(train, tmp_path, warnings_of):
    train(epochs=1)
    assert not any('earlier run' in message for message in warnings_of)
    train(epochs=2, resume=True)
    assert not any('earlier run' in message for message in warnings_of)
    train(epochs=1)
    assert any(
        'epoch_2.pth' in message and '--resume' in message and '--work-dir' in message
        for message in warnings_of
    )


def test_the_best_of_another_folder_is_left_alone(tmp_path):
    """A copied run names the best checkpoint of the one that it was copied from."""
    other, own = tmp_path / 'other', tmp_path / 'own'
    other.mkdir()
    (other / 'best_error_epoch_1.pth').write_bytes(b'of the other run')
    hook = SafeCheckpointHook(save_best='error')
    runner = SimpleNamespace(
        work_dir=str(own),
        logger=MMLogger('copied'),
        message_hub=MessageHub('copied'),
        _resume=True,
    )
    runner.message_hub.update_info('best_ckpt', str(other / 'best_error_epoch_1.pth'))
    own.mkdir()
    hook.before_train(runner)
    assert hook.best_ckpt_path is None
    (own / 'best_error_epoch_1.pth').write_bytes(b'of this run')
    hook.before_train(runner)
    assert hook.best_ckpt_path == str(own / 'best_error_epoch_1.pth')
