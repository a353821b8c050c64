"""Machines that train together, started by the launch scripts of PyTorch and of Slurm."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.testing import free_port

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / 'tools'
CONFIG = ROOT / 'configs' / 'gvhmr_bedlam.py'
# Random numbers differ between ranks, so there are none.
NO_NOISE = """
class NoNoise:
    within_image = False

    def __init__(self, compat):
        pass

    def __call__(self, joints, valid):
        return joints, valid[..., None].expand(joints.shape[:-1])
"""
OPTIONS = {
    'model.backbone.latent_dim': 8,
    'model.backbone.num_layers': 1,
    'model.backbone.num_heads': 1,
    'model.backbone.dropout': 0,
    'model.head.latent_dim': 8,
    'model.train_cfg.condition_dropout': 0,
    'model.train_cfg.keypoint_noise.type': 'no_noise.NoNoise',
    'train_cfg.max_epochs': 1,
    'default_hooks.checkpoint.interval': 1,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'env_cfg.dist_cfg.backend': 'gloo',
}


def arguments(data_root, work_dir, batch_size):
    options = {**OPTIONS, 'train_dataloader.batch_size': batch_size}
    return [
        '--data-root', data_root, '--work-dir', work_dir, '--no-validate',
        '--cfg-options', *(f'{name}={value}' for name, value in options.items()),
    ]  # fmt: skip


@pytest.fixture
def start(toy_root, tmp_path):
    """Return a function that starts a training in a process."""
    (tmp_path / 'no_noise.py').write_text(NO_NOISE)

    def _start(command, work_dir, batch_size, **environment):
        command = [*command, *arguments(toy_root, work_dir, batch_size)]
        environment = dict(
            os.environ, PYTHONPATH=f'{tmp_path}:{ROOT}', PYTHON=sys.executable, OMP_NUM_THREADS='1',
            **environment,
        )  # fmt: skip
        return subprocess.Popen(
            [str(word) for word in command], cwd=tmp_path, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return _start


def finish(*processes):
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    for process, output in zip(processes, outputs):
        assert process.returncode == 0, output[-4000:]


def weights(work_dir):
    checkpoint = torch.load(work_dir / 'epoch_1.pth', weights_only=False)
    return checkpoint['meta']['iter'], checkpoint['state_dict']


@pytest.mark.slow
def test_two_nodes_are_one_rank_with_the_batch_of_both(
    start, call, toy_root, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    code, _, err = call('train', CONFIG, *arguments(toy_root, tmp_path / 'alone', 2))
    assert code == 0, err
    port = free_port()
    finish(
        *(
            start(
                ['bash', TOOLS / 'dist_train.sh', CONFIG, 1],
                tmp_path / 'nodes',
                batch_size=1,
                NNODES='2',
                NODE_RANK=str(rank),
                MASTER_ADDR='127.0.0.1',
                PORT=port,
            )
            for rank in range(2)
        )
    )
    count, alone = weights(tmp_path / 'alone')
    same_count, nodes = weights(tmp_path / 'nodes')
    assert count == same_count == 3
    for name, value in alone.items():
        torch.testing.assert_close(nodes[name], value, atol=1e-6, rtol=1e-5)


SRUN = """#!/usr/bin/env bash
# Stands in for srun on one machine: starts the tasks it is asked for, numbered as Slurm does.
while [[ $1 == --* ]]; do
  case $1 in --ntasks=*) tasks=${1#*=};; esac
  shift
done
export SLURM_NTASKS=$tasks SLURM_NODELIST=localhost
for ((rank = 0; rank < tasks; rank++)); do
  SLURM_PROCID=$rank SLURM_LOCALID=$rank "$@" & pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || exit 1; done
"""
SCONTROL = '#!/usr/bin/env bash\necho 127.0.0.1\n'


@pytest.mark.slow
def test_slurm_starts_what_it_is_asked_for(start, tmp_path):
    programs = tmp_path / 'programs'
    programs.mkdir()
    for name, content in (('srun', SRUN), ('scontrol', SCONTROL)):
        (programs / name).write_text(content)
        (programs / name).chmod(0o755)
    work_dir = tmp_path / 'slurm'
    finish(
        start(
            ['bash', TOOLS / 'slurm_train.sh', 'partition', 'job', CONFIG, work_dir],
            work_dir,
            batch_size=1,
            PATH=f'{programs}:{os.environ["PATH"]}',
            GPUS='2',
            GPUS_PER_NODE='2',
            MASTER_PORT=free_port(),
        )
    )
    assert weights(work_dir)[0] == 3  # of 6 clips, two at a time
