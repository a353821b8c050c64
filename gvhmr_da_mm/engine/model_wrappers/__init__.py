"""Model wrappers for distributed training."""

from .replicated_data_parallel import ReplicatedDataParallel

__all__ = ['ReplicatedDataParallel']
