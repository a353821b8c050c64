"""Process group of a distributed run on machines without GPU, where MMEngine cannot start one."""

import os
import subprocess
from typing import NamedTuple

import torch
from mmengine.config import Config
from torch import distributed

from ..core.errors import ConfigError
from ..registry.arguments import suggest


class Launcher(NamedTuple):
    """A program that starts the processes of a distributed run.

    Args:
        program (str): Its name.
        advice (str): How to use it with this package.
        rank (str): Variable with the number of the process.
        size (str): Variable with the number of processes.
        local_rank (str): Variable with the number of the process on its machine.
    """

    program: str
    advice: str
    rank: str
    size: str
    local_rank: str


LAUNCHERS = dict(
    pytorch=Launcher(
        'torchrun', 'tools/dist_train.sh or dist_test.sh', 'RANK', 'WORLD_SIZE', 'LOCAL_RANK'
    ),
    slurm=Launcher(
        'srun',
        'tools/slurm_train.sh or slurm_test.sh, and on one machine tools/dist_train.sh',
        'SLURM_PROCID',
        'SLURM_NTASKS',
        'SLURM_LOCALID',
    ),
    mpi=Launcher(
        'mpirun of Open MPI',
        'mpirun, or on one machine tools/dist_train.sh',
        'OMPI_COMM_WORLD_RANK',
        'OMPI_COMM_WORLD_SIZE',
        'OMPI_COMM_WORLD_LOCAL_RANK',
    ),
)


def start_cpu_ranks(config: Config) -> None:
    """Join the other processes of a launcher on machines without GPU.

    MMEngine chooses a GPU for each process first, and fails where there is none. With a GPU, or a
    single process, the environment is checked, and nothing else happens here.

    Args:
        config (Config): Its ``launcher`` and ``env_cfg.dist_cfg`` are read.

    Raises:
        ConfigError: If the backend is unknown or needs GPUs, or the launcher has not started this
            process.
    """
    if config.launcher == 'none':
        return
    launcher = LAUNCHERS[config.launcher]
    for variable in (launcher.rank, launcher.size, launcher.local_rank):
        if variable not in os.environ:
            raise ConfigError(
                f'`--launcher {config.launcher}` is for processes that {launcher.program} starts, '
                f'and ${variable} is not set: use {launcher.advice}'
            )
    if config.launcher == 'mpi' and 'MASTER_ADDR' not in os.environ:
        raise ConfigError(
            '`--launcher mpi` needs the address of the machine of the first process: '
            '`mpirun -x MASTER_ADDR=ADDRESS ...`, on one machine 127.0.0.1'
        )
    backend = config.env_cfg.get('dist_cfg', {}).get('backend', 'nccl')
    _check_backend(backend)
    if torch.cuda.is_available() or distributed.is_initialized():
        return
    if backend == 'nccl':
        raise ConfigError(
            "the backend 'nccl' of `env_cfg.dist_cfg` needs GPUs and none was found; on CPUs use "
            '`--cfg-options env_cfg.dist_cfg.backend=gloo`'
        )
    _set_ranks(launcher)
    distributed.init_process_group(backend)


def _check_backend(backend: str) -> None:
    known = distributed.Backend.backend_list
    if backend not in known and ':' not in backend:  # `cpu:gloo,cuda:nccl` names two.
        raise ConfigError(
            f'`env_cfg.dist_cfg.backend` should be one of PyTorch, such as nccl or gloo, got '
            f'{backend!r}; {suggest(backend, known)}'
        )


def _set_ranks(launcher: Launcher) -> None:
    """Set the variables that PyTorch reads from those of the launcher, as MMEngine does on GPUs."""
    environment = os.environ
    environment['RANK'] = environment[launcher.rank]
    environment['WORLD_SIZE'] = environment[launcher.size]
    environment['LOCAL_RANK'] = environment[launcher.local_rank]
    environment.setdefault('MASTER_PORT', '29500')
    if 'MASTER_ADDR' not in environment and 'SLURM_NODELIST' in environment:
        environment['MASTER_ADDR'] = _first_host(environment['SLURM_NODELIST'])


def _first_host(nodes: str) -> str:
    command = ['scontrol', 'show', 'hostname', nodes]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigError(
            f'`--launcher slurm` asks scontrol for the machines of {nodes!r}, which failed '
            f'({error}): set $MASTER_ADDR to the machine of the first process'
        ) from error
