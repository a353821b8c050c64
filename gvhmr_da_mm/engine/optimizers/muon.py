"""Optimiser whose steps of weight matrices are orthogonal."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Optional

import torch
from torch import Tensor
from torch.optim import Optimizer

from ...core.checks import check_at_least
from ...core.errors import ConfigError
from ...registry import OPTIMIZERS

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of a quintic that brings every singular value of (0, 1] close to 1 in few steps."""
NEWTON_SCHULZ_STEPS = 5
ADAMW_RMS = 0.2
"""Usual root mean square of a step of AdamW over its learning rate."""


@OPTIMIZERS.register_module()
class Muon(Optimizer):
    """Move weight matrices by their orthogonalised momentum, all other parameters as AdamW does.

    All directions of a matrix then learn at the same rate, where Adam follows the few in which
    gradients are large. A step of a matrix has the size of AdamW's, so that both kinds share one
    learning rate and weight decay. PyTorch's own ``Muon`` takes matrices only.

    Args:
        params (Iterable): Parameters, or groups of them.
        lr (float): Learning rate. Defaults to 5e-3.
        momentum (float): Share of the momentum of matrices that stays at each step; Nesterov's
            form. Defaults to 0.95.
        betas (tuple[float, float]): As for AdamW, for the other parameters. Defaults to
            (0.9, 0.999).
        eps (float): As for AdamW. Defaults to 1e-8.
        weight_decay (float): As for AdamW, for both kinds. Defaults to 0.
        min_side (int): Matrices with a smaller side are treated as other parameters. Defaults
            to 64.

    Raises:
        ConfigError: If a number is out of its range.

    Source: Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024; size of
    the step: Liu et al., Muon is scalable for LLM training, 2025, Sec. 2.2.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 5e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        min_side: int = 64,
    ) -> None:
        check_at_least(0, lr=lr, eps=eps, weight_decay=weight_decay, min_side=min_side)
        for name, share in (('momentum', momentum), *(('betas', beta) for beta in betas)):
            if not 0 <= share < 1:
                raise ConfigError(f'`{name}` of Muon should be at least 0 and below 1, got {share}')
        super().__init__(
            params,
            dict(
                lr=lr,
                momentum=momentum,
                betas=tuple(betas),
                eps=eps,
                weight_decay=weight_decay,
                min_side=min_side,
            ),
        )

    @torch.no_grad()
    def step(self, closure: Optional[Callable[[], Tensor]] = None) -> Optional[Tensor]:
        """Update all parameters that have a gradient.

        Args:
            closure (Callable, optional): Computes the loss again. Defaults to None.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            # Kernels for all of a kind at once: on a GPU it is their number that takes time.
            matrices: dict[tuple, list[Tensor]] = defaultdict(list)
            others: dict[tuple, list[Tensor]] = defaultdict(list)
            for param in group['params']:
                if param.grad is None:
                    continue
                if param.ndim == 2 and min(param.shape) >= group['min_side']:
                    matrices[(*param.shape, param.device, param.dtype)].append(param)
                else:
                    others[param.device, param.dtype].append(param)
            for params in others.values():
                self._move(params, self._adam(params, group), group)
            for params in matrices.values():
                changes = torch.stack(self._momentum(params, group))
                scale = ADAMW_RMS * math.sqrt(max(params[0].shape))
                self._move(params, list(scale * orthogonalize(changes)), group)
        return loss

    @staticmethod
    def _move(params: list[Tensor], changes: list[Tensor], group: dict[str, Any]) -> None:
        """Decay parameters and subtract the changes for a learning rate of 1."""
        torch._foreach_mul_(params, 1 - group['lr'] * group['weight_decay'])
        torch._foreach_add_(params, changes, alpha=-group['lr'])

    def _momentum(self, params: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        """Update the momentum of matrices and return Nesterov's form of it."""
        for param in params:
            if not self.state[param]:
                self.state[param]['momentum'] = torch.zeros_like(param)
        slopes = [param.grad for param in params]
        momenta = [self.state[param]['momentum'] for param in params]
        torch._foreach_lerp_(momenta, slopes, 1 - group['momentum'])
        return torch._foreach_lerp(slopes, momenta, group['momentum'])

    def _adam(self, params: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        """Return the changes of other parameters for a learning rate of 1."""
        states = [self.state[param] for param in params]
        for param, state in zip(params, states):
            if not state:
                zeros = dict(exp_avg=torch.zeros_like(param), exp_avg_sq=torch.zeros_like(param))
                state.update(step=0, **zeros)
            state['step'] += 1
        slopes = [param.grad for param in params]
        means, squares = ([state[name] for state in states] for name in ('exp_avg', 'exp_avg_sq'))
        beta1, beta2 = group['betas']
        torch._foreach_lerp_(means, slopes, 1 - beta1)
        torch._foreach_lerp_(squares, torch._foreach_mul(slopes, slopes), 1 - beta2)
        sizes = torch._foreach_div(squares, [1 - beta2 ** state['step'] for state in states])
        torch._foreach_sqrt_(sizes)
        torch._foreach_add_(sizes, group['eps'])
        changes = torch._foreach_div(means, [1 - beta1 ** state['step'] for state in states])
        torch._foreach_div_(changes, sizes)
        return changes


def orthogonalize(matrices: Tensor) -> Tensor:
    """Return matrices with the same singular vectors, and singular values of about 1.

    Newton-Schulz iterations in bfloat16, after which singular values are between 0.7 and 1.2; those
    below a thousandth of the largest remain smaller.

    Args:
        matrices (Tensor): Shape (..., M, N).

    Source: Jordan et al., 2024.
    """
    linear, cubic, quintic = NEWTON_SCHULZ
    is_tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.bfloat16()
    x = x.mT if is_tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = linear * x + (cubic * gram + quintic * gram @ gram) @ x
    return (x.mT if is_tall else x).to(matrices.dtype)
