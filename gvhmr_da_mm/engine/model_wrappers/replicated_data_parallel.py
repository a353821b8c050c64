"""Data-parallel wrapper for models with their own training step."""

from typing import Any

import torch
from mmengine.dist import all_reduce, broadcast, get_rank, get_world_size
from torch import Tensor, nn

from ...registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class ReplicatedDataParallel(nn.Module):
    """Run the wrapped model's own steps; the optimiser wrappers average the gradients.

    ``MMDistributedDataParallel.train_step`` never calls the model's, and its variant for separate
    parts saves checkpoints whose keys do not load back. This wrapper copies the weights of the
    first rank to all and passes calls on, so checkpoints are those of a single process. Optimiser
    wrappers built by :class:`PrecisionOptimWrapperConstructor` average the gradients before each
    update, so accumulation needs no communication. Each rank has its own random numbers, so that
    dropout, noise and views differ. Log values are averaged over the ranks, because a hook that
    stopped one rank alone would leave the others waiting.

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
        """Call the model's own training step and average its log values."""
        return average_scalars(self.module.train_step(*args, **kwargs))

    def val_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model's own validation step."""
        return self.module.val_step(*args, **kwargs)

    def test_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model's own test step."""
        return self.module.test_step(*args, **kwargs)


def average_scalars(values: dict[str, Any]) -> dict[str, Any]:
    """Average the scalar tensors of a dict over all ranks, which must have the same keys."""
    names = sorted(n for n, v in values.items() if isinstance(v, Tensor) and v.numel() == 1)
    if get_world_size() == 1 or not names:
        return values
    stacked = torch.stack([values[name].detach().float().flatten()[0] for name in names])
    all_reduce(stacked, op='mean')
    return {**values, **dict(zip(names, stacked.unbind()))}
