"""Optimiser wrappers that average gradients over ranks, in three precisions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.dist import all_reduce_params, get_world_size
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import nn

from ...registry import OPTIM_WRAPPERS


class _AverageGradients:
    """Average the gradients over all ranks right before an update.

    All ranks train on the same domain in the same step, so the same parameters have gradients.
    """

    def step(self, **kwargs: Any) -> None:
        """Average, clip and update; arguments as :meth:`mmengine.optim.OptimWrapper.step`."""
        if get_world_size() > 1:
            groups = self.optimizer.param_groups
            gradients = [p.grad for group in groups for p in group['params'] if p.grad is not None]
            all_reduce_params(gradients, op='mean')
        super().step(**kwargs)


@OPTIM_WRAPPERS.register_module()
class AveragingOptimWrapper(_AverageGradients, OptimWrapper):
    """Single precision."""


@OPTIM_WRAPPERS.register_module()
class AveragingAmpOptimWrapper(_AverageGradients, AmpOptimWrapper):
    """Half precision with a loss scale, on a GPU; scaled gradients are averaged as they are."""


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(_AverageGradients, OptimWrapper):
    """Run the forward pass in bfloat16; its range is float32's, so the loss is not scaled.

    MMEngine's :class:`AmpOptimWrapper` refuses to run without a GPU.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enable bfloat16 autocast where the model's parameters are."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield
