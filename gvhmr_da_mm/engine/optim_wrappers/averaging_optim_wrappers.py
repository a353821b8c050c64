"""Optimiser wrappers that average gradients over ranks, in three precisions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.dist import all_reduce_params, get_world_size
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import nn

from ...registry import OPTIM_WRAPPERS
from .finite_step_mixin import FiniteStepMixin

SMALLEST_SCALE = 1.0
"""A loss scale that shrank to this shows that the gradient itself overflows."""


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
class AveragingOptimWrapper(_AverageGradients, FiniteStepMixin, OptimWrapper):
    """Single precision."""


@OPTIM_WRAPPERS.register_module()
class AveragingAmpOptimWrapper(_AverageGradients, FiniteStepMixin, AmpOptimWrapper):
    """Half precision with a loss scale, on a GPU; scaled gradients are averaged as they are."""

    _gradients_are_scaled = True

    def _leave_out(self, loss_is_finite: bool, **kwargs: Any) -> bool:
        """Let the scaler skip the update and look for a smaller scale.

        A loss that is not finite is none of its business: no scale would help. Otherwise the skip
        counts once there is nothing left to look for.
        """
        if not loss_is_finite:
            return True
        is_static = self._scale_update_param is not None
        counts = is_static or self.loss_scaler.get_scale() <= SMALLEST_SCALE
        AmpOptimWrapper.step(self, **kwargs)
        return counts


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(_AverageGradients, FiniteStepMixin, OptimWrapper):
    """Run the forward pass in bfloat16; its range is float32's, so the loss is not scaled.

    MMEngine's :class:`AmpOptimWrapper` refuses to run without a GPU.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enable bfloat16 autocast where the model's parameters are."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield
