"""Several updates for each batch that is read, on clips of a pool."""

import os
import signal
from functools import partial

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine.stop_signals import EXIT_RESUMABLE
from tests.testing import isolated_registry, tiny_config

CONFIG, ADAPTATION = (f'configs/{name}.py' for name in ('gvhmr_bedlam', 'da_demo'))
SMALL = {
    'model.backbone.latent_dim': 16,
    'model.backbone.num_layers': 1,
    'model.backbone.num_heads': 2,
    'model.head.latent_dim': 16,
    'model.motion_codec.statistics': 'identity',
    'default_hooks.motion_statistics': None,
}
EPOCHS, BATCHES, BATCH_SIZE, REPEATS = 2, 3, 2, 3
UPDATES = EPOCHS * BATCHES * REPEATS


class Recorder(Hook):
    """Note what is read and what is trained on; ask the run to stop in an iteration, from 1."""

    priority = 'VERY_LOW'

    def __init__(self, stop_at=None):
        self.stop_at, self.read, self.trained, self.losses = stop_at, {}, {}, {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        now = runner.iter + 1
        if now == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        read = [(sample.sequence, sample.start) for sample in data_batch['read_samples']]
        if read:
            self.read[now] = read
        self.trained[now] = data_batch

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses[runner.iter + 1] = outputs['loss'].item()

    @property
    def places(self):
        return {
            now: [(sample.sequence, sample.start) for sample in batch['data_samples']]
            for now, batch in self.trained.items()
        }


def echo(
    toy_root, work_dir, stop_at=None, config=CONFIG, options=SMALL, repeats=REPEATS, **train_cfg
):
    """Train, and return the runner and what was recorded."""
    config = tiny_config(
        config, toy_root, work_dir, EPOCHS, BATCHES, BATCH_SIZE, max_len=20, options=options
    )
    config.train_cfg.update(type='EchoingTrainLoop', repeats=repeats, **train_cfg)
    config.update(resume=True, log_level='INFO')
    with isolated_registry():
        torch.manual_seed(0)
        runner, recorder = Runner.from_cfg(config), Recorder(stop_at)
        runner.register_hook(recorder)
        if stop_at is None:
            runner.train()
        else:
            with pytest.raises(SystemExit) as end:
                runner.train()
            assert end.value.code == EXIT_RESUMABLE
    return runner, recorder


@pytest.fixture
def run(toy_root, tmp_path):
    """Return a function that trains; it gives the runner and what was recorded."""
    return partial(echo, toy_root, tmp_path)


@pytest.fixture(scope='module')
def whole(toy_root, tmp_path_factory):
    """Return a run that nothing disturbed; read only."""
    return echo(toy_root, tmp_path_factory.mktemp('whole'))


def log_of(runner):
    with open(runner.logger.log_file) as file:
        return file.read()


def test_updates_are_counted_and_batches_read_in_time(whole):
    runner, seen = whole
    assert runner.max_iters == runner.iter == UPDATES
    assert list(seen.read) == list(range(1, UPDATES + 1, REPEATS))
    assert len(runner.train_dataloader) == BATCHES * REPEATS
    known = set()
    for now, places in seen.places.items():
        known.update(seen.read.get(now, []))
        assert len(places) == BATCH_SIZE and set(places) <= known
    # Most draws are of clips that were read before.
    assert any(set(places) - set(seen.read.get(now, [])) for now, places in seen.places.items())


def test_a_seed_decides_on_everything(whole, run):
    (first, one), (second, other) = whole, run()
    assert one.losses == other.losses and one.places == other.places
    assert len(set(one.losses.values())) == UPDATES  # The same clips get new noise.
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name])


@pytest.mark.parametrize('stop_at', [REPEATS + 2, BATCHES * REPEATS + REPEATS])
def test_resume_reads_what_is_next(whole, run, stop_at):
    run(stop_at=stop_at)
    runner, resumed = run()
    assert runner.iter == UPDATES and min(resumed.losses) == stop_at + 1
    again = stop_at // REPEATS * REPEATS + 1
    expected = {now: read for now, read in whole[1].read.items() if now >= again}
    # Within the updates of a batch, that one is read again.
    assert [expected[now] for now in sorted(expected)] == [
        resumed.read[now] for now in sorted(resumed.read)
    ]
    assert 'A checkpoint does not hold the pool of clips' in log_of(runner)


def test_a_small_pool_forgets(run):
    runner, seen = run(pool_clips=BATCH_SIZE)
    latest = None
    for now, places in seen.places.items():
        latest = seen.read.get(now, latest)
        assert set(places) <= set(latest)
    told = f'trains {REPEATS} times, by draws from the latest {BATCH_SIZE} clips'
    assert told in log_of(runner)


def test_the_model_gets_labels_that_fit_their_samples(whole):
    _, seen = whole
    for batch in seen.trained.values():
        for index, sample in enumerate(batch['data_samples']):
            length = int(batch['inputs']['valid'][index].sum())
            assert length == sample.length
            pose = sample.gt_instances.body_pose
            assert torch.equal(pose, batch['data_samples'].stacked['body_pose'][index])


def test_what_cannot_be_echoed_is_refused(run):
    with pytest.raises(ConfigError, match='EchoingTrainLoop.*DomainAdaptiveGVHMR.*Resumable'):
        run(config=ADAPTATION, options=None)
    with pytest.raises(ConfigError, match='`repeats` should be at least 1'):
        run(repeats=0)


def test_an_update_makes_no_samples(run, monkeypatch):
    monkeypatch.setattr('gvhmr_da_mm.engine.clip_pool.PoseDataSample', None)
    runner, _ = run()
    assert runner.iter == UPDATES
