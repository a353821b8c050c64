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

MIN_LOSS_SCALE = 1.0
"""At or below this loss scale the unscaled gradient itself overflows."""


class _AverageGradients:
    """Average the gradients over all ranks before each update.

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
    """Half precision with a loss scale, on a GPU; averages the scaled gradients."""

    _gradients_are_scaled = True

    def _leave_out(self, loss_is_finite: bool, **kwargs: Any) -> bool:
        """Let the scaler skip the update and reduce its scale; return whether the skip counts.

        No scale helps if the loss is not finite. Otherwise the skip counts if the scale is static
        or cannot be reduced further.
        """
        if not loss_is_finite:
            return True
        is_static = self._scale_update_param is not None
        counts = is_static or self.loss_scaler.get_scale() <= MIN_LOSS_SCALE
        AmpOptimWrapper.step(self, **kwargs)
        return counts


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(_AverageGradients, FiniteStepMixin, OptimWrapper):
    """Forward pass in bfloat16; its range is that of float32, so the loss is not scaled.

    MMEngine's :class:`AmpOptimWrapper` refuses to run without a GPU.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enable bfloat16 autocast on the device of the model's parameters."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield
