"""Runs stopped at any iteration resume to the result of an uninterrupted run."""

import os
import signal

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.optim import OneCycleLR

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine.stop_signals import EXIT_RESUMABLE
from tests.robustness.soak import differences, final_state, logged_values

EPOCHS, BATCHES = 3, 3
ITERATIONS = EPOCHS * BATCHES


class Killed(BaseException):
    """What SIGKILL is to a process: nothing of it is caught, saved or tidied up."""


def kill():
    raise Killed


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def assert_same(tmp_path, name='run', reference='reference'):
    folders = [tmp_path / reference, tmp_path / name]
    assert differences(*map(final_state, folders)) == []
    assert differences(*map(logged_values, folders)) == []


@pytest.mark.parametrize('iteration', range(1, ITERATIONS + 1))
def test_stopped_after_any_iteration(run, at, tmp_path, iteration):
    run('reference', validate=True)
    with pytest.raises(SystemExit) as end:
        run(hooks=[at('before_train_iter', iteration, terminate)], validate=True)
    assert end.value.code == EXIT_RESUMABLE
    assert torch.load(tmp_path / 'run/rolling.pth', weights_only=False)['meta']['iter'] == iteration
    run(validate=True)
    assert_same(tmp_path)


@pytest.mark.parametrize('stage', ['before_train_iter', 'after_train_iter'])
def test_killed_again_and_again(run, at, tmp_path, stage):
    run('reference', validate=True)
    for iteration in (3, 4, 4, 8, 9):
        with pytest.raises(Killed):
            run(hooks=[at(stage, iteration, kill)], validate=True, rolling_interval=1)
    run(validate=True, rolling_interval=1)
    assert_same(tmp_path)


@pytest.mark.parametrize('stage', ['before_val_epoch', 'before_val_iter', 'after_val_epoch'])
@pytest.mark.parametrize('end', [kill, terminate])
def test_stopped_while_it_validates(run, at, tmp_path, stage, end):
    run('reference', validate=True)
    for epoch in (1, EPOCHS):
        with pytest.raises((Killed, SystemExit)):
            run(hooks=[at(stage, epoch, end)], validate=True)
    run(validate=True)
    assert_same(tmp_path)


def test_validation_does_not_change_training(run, tmp_path):
    run('with', validate=True)
    run('without')
    states = [final_state(tmp_path / name) for name in ('with', 'without')]
    weights = [{n: v for n, v in state.items() if not n.startswith('log.')} for state in states]
    assert [n for n in differences(*weights) if 'val' not in n and 'loop_stage' not in n] == []


def test_it_begins_with_the_batch_that_is_next(run, at):
    with pytest.raises(SystemExit):
        run(hooks=[at('before_train_iter', BATCHES + 2, terminate)])
    runner = run()
    assert len(runner.train_dataloader.dataset.read) == ITERATIONS - BATCHES - 2


def test_a_sampler_that_cannot_jump_reads_again_and_says_so(run, at, tmp_path, capfd):
    run('reference', jumps=False)
    with pytest.raises(SystemExit):
        run(hooks=[at('before_train_iter', BATCHES + 2, terminate)], jumps=False)
    capfd.readouterr()
    run(jumps=False)
    assert 'reading 2 batches again' in ''.join(capfd.readouterr())
    assert_same(tmp_path)


def test_a_finished_run_does_nothing_when_it_resumes(run, tmp_path):
    run('reference', validate=True)
    before = final_state(tmp_path / 'reference')
    runner = run('reference', validate=True)
    assert runner.train_dataloader.dataset.read == []
    assert final_state(tmp_path / 'reference') == before


def test_an_epoch_of_another_length_keeps_its_share(run, capfd):
    loop = run().train_loop
    loop.resume_at(step=4, epoch_length=6, validation_due=False)
    assert loop.step == 2
    assert 'had 6 batches and has 3 now' in ''.join(capfd.readouterr())


def test_the_seed_of_the_data_is_the_one_of_the_checkpoint(run, at, tmp_path):
    """A run without a seed draws one at each start."""
    run('reference')
    with pytest.raises(SystemExit):
        run(hooks=[at('before_train_iter', 2, terminate)])

    def forget(runner=None):
        run.runner.train_dataloader.batch_sampler.sampler.seed = 99

    run(hooks=[at('before_run', 1, forget)])
    assert_same(tmp_path)


def test_a_full_disk_ends_with_a_reason(run, at):
    from gvhmr_da_mm.core.errors import StorageError

    def fail():
        raise OSError(28, 'No space left on device')

    with pytest.raises(StorageError, match='Free space'):
        run(hooks=[at('before_train_iter', 2, fail)])


class OneCycle(Hook):
    """Add a schedule of one iteration."""

    def before_run(self, runner):
        schedule = OneCycleLR(runner.optim_wrapper, eta_max=1.0, total_steps=1, by_epoch=False)
        runner.param_schedulers.append(schedule)


def test_a_schedule_of_iterations_that_ends_first_is_told_before_the_first(run, tmp_path):
    message = f'`param_scheduler.2` has 1 steps.*{ITERATIONS} iterations'
    with pytest.raises(ConfigError, match=message):
        run(hooks=[OneCycle()])
    assert not list((tmp_path / 'run').glob('*.pth'))
