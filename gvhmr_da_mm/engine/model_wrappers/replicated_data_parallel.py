"""Data parallelism for models with their own training step."""

from typing import Any

import torch
from mmengine.dist import broadcast, get_rank
from torch import nn

from ...registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class ReplicatedDataParallel(nn.Module):
    """Run the wrapped model's own steps; the optimiser wrappers average the gradients.

    ``MMDistributedDataParallel.train_step`` never calls the model's, and its variant for separate
    parts saves checkpoints whose keys do not load back. This wrapper does nothing but start all
    ranks from the weights of the first and pass calls on, so checkpoints are those of a single
    process. Optimiser wrappers built by :class:`PrecisionOptimWrapperConstructor` average the
    gradients before each update, which also makes accumulation cost no communication. Each rank
    gets random numbers of its own, so that dropout, noise and views differ between them.

    Args:
        module (nn.Module): The model.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        for tensor in (*module.parameters(), *module.buffers()):
            broadcast(tensor.data)
        torch.manual_seed(torch.initial_seed() + get_rank())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model."""
        return self.module(*args, **kwargs)

    def train_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model's own training step."""
        return self.module.train_step(*args, **kwargs)

    def val_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model's own validation step."""
        return self.module.val_step(*args, **kwargs)

    def test_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model's own test step."""
        return self.module.test_step(*args, **kwargs)
