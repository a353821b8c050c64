"""Process group of a distributed run on machines without GPU, where MMEngine cannot start one."""

import os
import subprocess

import torch
from mmengine.config import Config
from torch import distributed

from ..core.errors import ConfigError

STARTED_BY = dict(
    pytorch=('RANK', 'torchrun', 'tools/dist_train.sh or dist_test.sh'),
    slurm=(
        'SLURM_PROCID',
        'srun',
        'tools/slurm_train.sh or slurm_test.sh, and on one machine tools/dist_train.sh',
    ),
    mpi=(
        'OMPI_COMM_WORLD_LOCAL_RANK',
        'mpirun of Open MPI',
        'mpirun, or on one machine tools/dist_train.sh',
    ),
)
"""By launcher: the variable that it sets, the program that starts processes, and the remedy."""


def start_cpu_ranks(config: Config) -> None:
    """Join the other processes of ``launcher='pytorch'`` or ``'slurm'`` on machines without GPU.

    MMEngine chooses a GPU for each process first, and fails where there is none. With a GPU, or a
    single process, nothing happens here.

    Args:
        config (Config): Its ``launcher`` and ``env_cfg.dist_cfg`` are read.

    Raises:
        ConfigError: If the backend needs GPUs, or the launcher has not started this process.
    """
    launcher = config.launcher
    if launcher in STARTED_BY:
        variable, program, advice = STARTED_BY[launcher]
        if variable not in os.environ:
            raise ConfigError(
                f'`--launcher {launcher}` is for processes that {program} starts, and ${variable} '
                f'is not set: use {advice}'
            )
    if launcher not in ('pytorch', 'slurm') or torch.cuda.is_available():
        return
    if distributed.is_initialized():
        return
    backend = config.env_cfg.get('dist_cfg', {}).get('backend', 'nccl')
    if backend == 'nccl':
        raise ConfigError(
            "the backend 'nccl' of `env_cfg.dist_cfg` needs GPUs and none was found; on CPUs use "
            '`--cfg-options env_cfg.dist_cfg.backend=gloo`'
        )
    if launcher == 'slurm':
        _set_ranks_from_slurm()
    distributed.init_process_group(backend)


def _set_ranks_from_slurm() -> None:
    """Set the variables that PyTorch reads from those of Slurm, as MMEngine does for GPUs."""
    environment = os.environ
    environment['RANK'] = environment['SLURM_PROCID']
    environment['WORLD_SIZE'] = environment['SLURM_NTASKS']
    environment['LOCAL_RANK'] = environment['SLURM_LOCALID']
    environment.setdefault('MASTER_PORT', '29500')
    if 'MASTER_ADDR' not in environment:
        command = ['scontrol', 'show', 'hostname', environment['SLURM_NODELIST']]
        hosts = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        environment['MASTER_ADDR'] = hosts.split()[0]
