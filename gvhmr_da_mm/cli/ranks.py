"""Starting the processes of a distributed run where MMEngine cannot."""

import torch
from mmengine.config import Config
from torch import distributed

from ..core.errors import ConfigError


def start_cpu_ranks(config: Config) -> None:
    """Join the other processes of ``launcher='pytorch'`` on a machine without GPU.

    MMEngine chooses a GPU for each process first, and fails where there is none. With a GPU, or a
    single process, nothing happens here.

    Args:
        config (Config): Its ``launcher`` and ``env_cfg.dist_cfg`` are read.

    Raises:
        ConfigError: If the backend needs GPUs.
    """
    if config.launcher != 'pytorch' or torch.cuda.is_available() or distributed.is_initialized():
        return
    backend = config.env_cfg.get('dist_cfg', {}).get('backend', 'nccl')
    if backend == 'nccl':
        raise ConfigError(
            "the backend 'nccl' of `env_cfg.dist_cfg` needs GPUs and none was found; on CPUs use "
            '`--cfg-options env_cfg.dist_cfg.backend=gloo`'
        )
    distributed.init_process_group(backend)
