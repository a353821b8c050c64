"""A run that goes from one process to two, as of the launcher of PyTorch, and back."""

import os
import sys
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from tests.testing import (
    free_port,
    isolated_registry,
    last_checkpoint,
    print_to,
    read_log,
    run_ranks,
    tiny_config,
    train,
)
from tests.tool_calls import load_tool

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
CLIPS = 6
"""Synthetic clips of the toy data."""
OUTPUT = 'output.txt'
"""What both ranks print."""
OPTIONS = {
    'model.estimator.backbone.latent_dim': 8,
    'model.estimator.backbone.num_layers': 1,
    'model.estimator.backbone.num_heads': 1,
    'model.estimator.head.latent_dim': 8,
    'model.pseudo_labeler.refiner.steps': 1,
    'model.critic.calibrator.min_scores': 2,
    # A resumed count must not be beyond the end of what is left to accumulate.
    'optim_wrapper.model.accumulative_counts': 2,
    # Three sequences, one for each protocol: they do not divide evenly.
    'val_dataloader.dataset.datasets.emdb1.indices': 1,
    'val_dataloader.dataset.datasets.emdb2.indices': 1,
    'val_dataloader.dataset.datasets.threedpw.indices': 1,
    **{
        f'train_dataloader.dataset.datasets.{name}.{key}': value
        for name in ('bedlam', 'emdb', 'threedpw')
        for key, value in dict(min_len=10, max_len=20).items()
    },
}


def alone(data_root, work_dir, epochs, **kwargs):
    """Return the config of a run of one process with batches of one clip."""
    config = tiny_config(
        CONFIG, data_root, work_dir, epochs=epochs, batches=None, batch_size=1,
        options=OPTIONS, **kwargs,
    )  # fmt: skip
    config.log_level = 'INFO'
    return config


def resume(rank, data_root, work_dir, epochs, port):
    """Resume through the tool, in a process as the launcher of PyTorch starts it.

    It trains until the given epoch and its validation.
    """
    torch.set_num_threads(1)
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1', MASTER_PORT=port,
    )  # fmt: skip
    print_to(work_dir / OUTPUT)
    options = {
        **OPTIONS,
        'env_cfg.dist_cfg.backend': 'gloo',
        'train_cfg.max_epochs': epochs,
        'train_cfg.val_interval': epochs,
        'train_dataloader.batch_size': 1,
        'default_hooks.logger.interval': 1,
        'default_hooks.checkpoint.interval': 1,
    }
    command = [
        'train.py', CONFIG, '--launcher', 'pytorch', '--resume',
        '--data-root', data_root, '--work-dir', work_dir, '--cfg-options',
        *(f'{name}={value}' for name, value in options.items()),
    ]  # fmt: skip
    sys.argv = [str(word) for word in command]
    code = load_tool('train').main()
    assert not code, (work_dir / OUTPUT).read_text()[-4000:]


@pytest.fixture(scope='module')
def run(toy_root, tmp_path_factory):
    """Train an epoch alone and one on two ranks; return the folder, its log and both states."""
    folder = tmp_path_factory.mktemp('run')
    train(alone(toy_root, folder, epochs=1))
    states = [torch.load(last_checkpoint(folder), weights_only=False)]
    run_ranks(resume, toy_root, folder, 2, free_port())
    states.append(torch.load(last_checkpoint(folder), weights_only=False))
    return folder, (folder / OUTPUT).read_text(), states


def test_two_ranks_take_half_as_many_steps(run):
    _, _, (before, after) = run
    assert before['meta']['iter'] == 2 * CLIPS
    assert after['meta']['epoch'] == 2
    assert after['meta']['iter'] == 2 * CLIPS + CLIPS
    # Every synthetic clip once an epoch, whichever rank has read it.
    assert before['state_dict']['critic.queue.num_pushed'] == CLIPS
    assert after['state_dict']['critic.queue.num_pushed'] == 2 * CLIPS
    steps = {
        float(state['step'])
        for checkpoint in (before, after)
        for state in checkpoint['optimizer']['model']['state'].values()
    }
    assert steps == {CLIPS, CLIPS + CLIPS / 2}


def test_the_first_rank_alone_writes_one_log(run):
    folder, _, _ = run
    entries = [entry for entry in read_log(folder) if 'lr' in entry]
    assert [entry['step'] for entry in entries] == list(range(2 * CLIPS + 1, 3 * CLIPS + 1))
    assert all('synthetic_loss' in entry or 'real_loss' in entry for entry in entries)


def test_the_log_says_what_changes(run):
    _, output, _ = run
    assert output.count('saved by 1 process') == 1
    assert 'An iteration now takes 2 x 1 clips' in output
    assert 'train_dataloader.batch_size' in output


def test_metrics_are_those_of_one_process(run, toy_root, tmp_path):
    """Three sequences on two ranks, and for each metric one: none is counted twice or lost."""
    folder, _, _ = run
    config = alone(toy_root, tmp_path, epochs=2, validate=True)
    config.load_from = str(folder / 'epoch_2.pth')
    with isolated_registry():
        expected = Runner.from_cfg(config).val()
    entry = read_log(folder)[-1]
    assert {'emdb1/mpjpe', 'emdb2/wa_mpjpe', '3dpw/pve'} <= set(expected)
    got = {name: entry[name] for name in expected if '/' in name}
    assert got == pytest.approx({name: expected[name] for name in got}, rel=1e-12, nan_ok=True)


def test_one_process_goes_on(run, toy_root):
    folder, _, _ = run
    config = alone(toy_root, folder, epochs=3)
    config.resume = True
    runner = train(config)
    assert runner.epoch == 3 and runner.iter == 3 * CLIPS + 2 * CLIPS
    assert runner.model.critic.queue.num_pushed == 3 * CLIPS
    state = runner.optim_wrapper['model'].optimizer.state_dict()['state']
    assert {float(entry['step']) for entry in state.values()} == {2.5 * CLIPS}
