import os

import pytest
import torch
from mmengine.config import Config
from torch import distributed

from gvhmr_da_mm.cli.ranks import LAUNCHERS, start_cpu_ranks
from gvhmr_da_mm.core.errors import ConfigError


def config(launcher, **dist_cfg):
    return Config(dict(launcher=launcher, env_cfg=dict(dist_cfg=dist_cfg)))


@pytest.fixture
def started(monkeypatch):
    """Record backends instead of waiting for other processes."""
    backends = []
    for launcher in LAUNCHERS.values():
        monkeypatch.setenv(launcher.rank, '1')
        monkeypatch.setenv(launcher.size, '2')
        monkeypatch.setenv(launcher.local_rank, '0')
    for name in ('MASTER_ADDR', 'MASTER_PORT'):
        monkeypatch.setenv(name, '')  # Restored after the test.
        monkeypatch.delenv(name)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(distributed, 'init_process_group', backends.append)
    return backends


def test_cpus_take_the_backend_of_the_config(started):
    start_cpu_ranks(config('pytorch', backend='gloo'))
    assert started == ['gloo']


@pytest.mark.parametrize('dist_cfg', [dict(backend='nccl'), {}])
def test_a_backend_for_gpus_is_refused(started, dist_cfg):
    with pytest.raises(ConfigError, match='dist_cfg.backend=gloo'):
        start_cpu_ranks(config('pytorch', **dist_cfg))
    assert not started


def test_the_rest_is_left_to_mmengine(started, monkeypatch):
    start_cpu_ranks(config('none', backend='gloo'))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    start_cpu_ranks(config('pytorch', backend='nccl'))
    assert not started


@pytest.mark.parametrize(
    'launcher, variable, advice',
    [
        ('slurm', 'SLURM_PROCID', 'srun.*slurm_train.sh'),
        ('slurm', 'SLURM_NTASKS', 'srun.*slurm_train.sh'),
        ('mpi', 'OMPI_COMM_WORLD_LOCAL_RANK', 'mpirun'),
        ('pytorch', 'RANK', 'torchrun.*dist_train.sh'),
        ('pytorch', 'WORLD_SIZE', 'torchrun.*dist_train.sh'),
    ],
)
def test_a_launcher_that_has_not_started_the_process(
    started, monkeypatch, launcher, variable, advice
):
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigError, match=advice):
        start_cpu_ranks(config(launcher, backend='gloo'))
    assert not started


def test_mpi_needs_the_address_of_the_first_process(started, monkeypatch):
    with pytest.raises(ConfigError, match='mpirun -x MASTER_ADDR'):
        start_cpu_ranks(config('mpi', backend='gloo'))
    monkeypatch.setenv('MASTER_ADDR', '127.0.0.1')
    monkeypatch.delenv('RANK')
    monkeypatch.delenv('WORLD_SIZE')
    start_cpu_ranks(config('mpi', backend='gloo'))
    assert started == ['gloo']
    assert [os.environ[name] for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')] == ['1', '2', '0']


def test_machines_of_slurm_that_nobody_knows(started, monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.setenv('SLURM_NODELIST', 'node[1-2]')
    with pytest.raises(ConfigError, match=r'scontrol .*MASTER_ADDR'):
        start_cpu_ranks(config('slurm', backend='gloo'))


def test_a_backend_that_does_not_exist(started):
    with pytest.raises(ConfigError, match="got 'glo'.*gloo"):
        start_cpu_ranks(config('pytorch', backend='glo'))
