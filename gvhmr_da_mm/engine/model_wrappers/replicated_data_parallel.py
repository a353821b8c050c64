"""Data parallelism for models with their own training step."""

from typing import Any

import torch
from mmengine.dist import all_reduce, broadcast, get_rank, get_world_size
from torch import Tensor, nn

from ...registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class ReplicatedDataParallel(nn.Module):
    """Run the wrapped model's own steps; the optimiser wrappers average the gradients.

    ``MMDistributedDataParallel.train_step`` never calls the model's, and its variant for separate
    parts saves checkpoints whose keys do not load back. This wrapper does nothing but start all
    ranks from the weights of the first and pass calls on, so checkpoints are those of a single
    process. Optimiser wrappers built by :class:`PrecisionOptimWrapperConstructor` average the
    gradients before each update, which also makes accumulation cost no communication. Each rank
    gets random numbers of its own, so that dropout, noise and views differ between them. Log values
    are averaged over the ranks: hooks that stop or warn because of them do so on all ranks at once,
    as one that stopped alone would leave the others waiting.

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
        """Call the model's own training step and average what it has to log."""
        return average_scalars(self.module.train_step(*args, **kwargs))

    def val_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model's own validation step."""
        return self.module.val_step(*args, **kwargs)

    def test_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model's own test step."""
        return self.module.test_step(*args, **kwargs)


def average_scalars(values: dict[str, Any]) -> dict[str, Any]:
    """Average the scalar tensors of a dict over all ranks, which have the same ones."""
    names = sorted(n for n, v in values.items() if isinstance(v, Tensor) and v.numel() == 1)
    if get_world_size() == 1 or not names:
        return values
    stacked = torch.stack([values[name].detach().float().flatten()[0] for name in names])
    all_reduce(stacked, op='mean')
    return {**values, **dict(zip(names, stacked.unbind()))}
