"""A real Runner on the shipped tiny config: what is logged, saved, resumed and loaded."""

import json
import math
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from gvhmr_da_mm.apis import limit_for_debugging, load_config
from gvhmr_da_mm.core.errors import CheckpointError
from tests.testing import isolated_registry, last_checkpoint, read_log, tiny_config, train

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
TERMS = 'simple cr_j3d transl_c j2d cr_verts verts2d transl_w static_conf'.split()
LOGGED = {
    'synthetic_loss',
    'real_loss',
    'discriminator_real_loss',
    'discriminator_fake_loss',
    'generator_adversarial_loss',
    'reprojection_loss',
    'confidence_threshold',
    'confidence_mean',
    'selection_rate',
    'pseudo_label_spread',
    'lr',
    'grad_norm',
    'time',
    *(f'{domain}_{term}_loss' for domain in ('synthetic', 'real') for term in TERMS),
}
SHRINK = {
    'model.estimator.backbone.latent_dim': 32,
    'model.estimator.backbone.num_layers': 1,
    'model.estimator.backbone.num_heads': 2,
    'model.estimator.head.latent_dim': 32,
}
EPOCHS, BATCHES = 2, 4


def config_of(toy_root, work_dir, **kwargs):
    options = {**SHRINK, **kwargs.pop('options', {})}
    return tiny_config(
        CONFIG, toy_root, work_dir, batches=BATCHES, max_len=20, options=options, **kwargs
    )


@pytest.fixture(scope='module')
def run(toy_root, tmp_path_factory):
    """Return the runner of two epochs of two synthetic and two real batches."""
    torch.manual_seed(0)
    return train(config_of(toy_root, tmp_path_factory.mktemp('run'), epochs=EPOCHS))


def test_every_promised_value_is_in_the_log(run):
    entries = read_log(run.work_dir)
    assert len(entries) == EPOCHS * BATCHES
    assert LOGGED - set(entries[-1]) == set()
    values = [entries[-1][name] for name in LOGGED]
    assert all(isinstance(value, (int, float)) and math.isfinite(value) for value in values)
    assert entries[-1]['lr'] == 1e-3


def test_tensorboard_gets_them_too(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (folder,) = Path(run.work_dir).glob('*/vis_data')
    events = EventAccumulator(str(folder)).Reload()
    assert LOGGED - set(events.Tags()['scalars']) == set()


def test_a_domains_values_wait_for_its_own_iterations(run):
    entries = read_log(run.work_dir)
    synthetic, real = entries[0], entries[1]
    assert 'synthetic_loss' in synthetic and 'real_loss' not in synthetic
    assert 'discriminator_real_loss' in real
    # A synthetic iteration adds nothing to a real value: the mean stays what it was.
    assert entries[2]['reprojection_loss'] == real['reprojection_loss']


def test_the_threshold_moves(run):
    values = [entry['confidence_threshold'] for entry in read_log(run.work_dir)]
    assert values == pytest.approx([0.4] * BATCHES + [0.45] * BATCHES)
    assert run.model.pseudo_labeler.threshold == pytest.approx(0.45)


def test_the_teacher_is_in_eval_in_the_loop_and_follows(run):
    assert not run.model.teacher.training
    pairs = zip(run.model.teacher.parameters(), run.model.student.parameters())
    assert any(not torch.equal(*pair) for pair in pairs)


def test_a_checkpoint_has_everything(run):
    checkpoint = torch.load(last_checkpoint(run.work_dir), weights_only=False)
    assert checkpoint['optimizer'].keys() == {'model', 'discriminator'}
    state = checkpoint['state_dict']
    assert state['critic.queue.num_pushed'] == EPOCHS * BATCHES  # Two clips in every other batch.
    assert state['student.motion_codec.fitted'] and state['critic.discriminator.num_observed'] > 0
    assert not any('body_model' in name for name in state)  # It must not be given away.


def test_resuming_equals_not_having_stopped(toy_root, run, tmp_path):
    """Weights are not compared: dropout and noise draw from a generator that is not saved."""
    train(config_of(toy_root, tmp_path, epochs=1))
    before = read_log(tmp_path)
    config = config_of(toy_root, tmp_path, epochs=EPOCHS)
    config.resume = True
    resumed = train(config)
    assert resumed.epoch == EPOCHS and resumed.iter == EPOCHS * BATCHES
    assert resumed.model.pseudo_labeler.threshold == run.model.pseudo_labeler.threshold
    assert resumed.model.critic.queue.num_pushed == run.model.critic.queue.num_pushed
    codecs = resumed.model.motion_codec, run.model.motion_codec
    assert torch.equal(codecs[0].mean, codecs[1].mean)
    logged = read_log(tmp_path)
    if logged[: len(before)] == before:  # Runs that start within a second share a folder.
        logged = logged[len(before) :]
    assert logged[0]['step'] == BATCHES + 1
    state = resumed.optim_wrapper['model'].optimizer.state_dict()['state']
    assert {float(entry['step']) for entry in state.values()} == {EPOCHS * BATCHES}


def test_load_from_takes_weights_and_statistics_alone(toy_root, run, tmp_path):
    config = config_of(toy_root, tmp_path)
    config.load_from = str(last_checkpoint(run.work_dir))
    config.train_cfg.max_epochs = 1
    # Had the statistics been fitted anew, it would have been on other clips.
    config.default_hooks.motion_statistics.update(num_clips=1)
    loaded = train(config)
    assert loaded.iter == BATCHES
    assert torch.equal(loaded.model.motion_codec.mean, run.model.motion_codec.mean)


def test_load_from_refuses_another_architecture(toy_root, run, tmp_path):
    config = config_of(toy_root, tmp_path, options={'model.estimator.backbone.num_layers': 2})
    config.load_from = str(last_checkpoint(run.work_dir))
    with isolated_registry(), pytest.raises(CheckpointError, match=r'backbone\.blocks\.1'):
        Runner.from_cfg(config).train()


def test_a_trailing_accumulation_steps(toy_root, tmp_path):
    """Four iterations with accumulation 3 are two updates, the second of one iteration."""
    options = {'optim_wrapper.model.accumulative_counts': 3}
    runner = train(config_of(toy_root, tmp_path, options=options))
    state = runner.optim_wrapper['model'].optimizer.state_dict()['state']
    assert {float(entry['step']) for entry in state.values()} == {2.0}


def test_the_dumped_config_starts_the_same_run(toy_root, run, tmp_path):
    dumped = next(Path(run.work_dir).glob('*.py'))
    config = tiny_config(dumped, toy_root, tmp_path, batches=2)
    assert config.model.estimator.backbone.latent_dim == 32
    assert train(config).iter == 2


def test_the_log_is_plain_json(run):
    (path,) = Path(run.work_dir).glob('*/vis_data/scalars.json')
    assert all(isinstance(json.loads(line), dict) for line in path.read_text().splitlines())


# Hooks that are switched off


HOOKS = load_config(CONFIG).default_hooks


def config_without(names, toy_root, work_dir):
    options = {f'default_hooks.{name}': None for name in names}
    # As no hook may be there to measure them.
    options['model.estimator.motion_codec.statistics'] = 'identity'
    config = load_config(CONFIG, {**SHRINK, **options}, toy_root)
    limit_for_debugging(config)
    config.work_dir, config.log_level = str(work_dir), 'ERROR'
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    return config


@pytest.mark.parametrize('name', HOOKS)
def test_a_default_hook_set_to_none_is_left_out(toy_root, tmp_path, name):
    with isolated_registry():
        runner = Runner.from_cfg(config_without([name], toy_root, tmp_path))
    assert {type(hook) for hook in runner.hooks} == {
        hook.type for other, hook in HOOKS.items() if other != name
    }


def test_training_without_any_default_hook(toy_root, tmp_path):
    config = config_without(HOOKS, toy_root, tmp_path)
    config.train_dataloader.batch_size = 2
    runner = train(config)
    assert not runner.hooks and runner.iter == 8
