"""Mixin for optimiser wrappers that skip updates whose loss or gradient is not finite."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Optional

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor, nn

STATE_KEY = 'spoilt_accumulation'
"""Key in the optimiser's state: the current accumulation has a loss that is not finite."""


@dataclass(frozen=True)
class SkippedStep:
    """Why an update was skipped.

    Args:
        loss_is_finite (bool): Whether every loss of the accumulation was finite, on all ranks.
        parameters (list[nn.Parameter]): Those whose gradients are not finite, in the optimiser's
            order. Defaults to [].
        counts (bool): Whether it counts as divergence. Updates in fp16 that are skipped while the
            scaler searches its scale do not. Defaults to True.
    """

    loss_is_finite: bool
    parameters: list[nn.Parameter] = field(default_factory=list, repr=False)
    counts: bool = True


class FiniteStepMixin:
    """Skip updates whose loss or gradient is not finite; a base class before ``OptimWrapper``.

    Weights and optimiser states stay unchanged, the accumulated gradients are dropped, and
    :attr:`last_skip` gives the reason. With accumulation, one bad loss drops the whole update. Off
    until :class:`DivergenceGuardHook` sets :attr:`guard_steps`: without its count a run that skips
    every update would seem to train.

    Note:
        The host waits for the device once per update, as in MMEngine; losses are checked on the
        device. Each update reads the gradients once more, and ranks exchange one number.
    """

    guard_steps = False
    steps_due = 0
    """Number of updates that were due, including skipped ones."""
    last_skip: Optional[SkippedStep] = None
    """Why the last due update was skipped; None if it was applied."""
    _gradients_are_scaled = False
    _losses_finite: Optional[Tensor] = None
    _norm: Optional[float] = None

    def update_params(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Accumulate, and update when it is due; as :class:`mmengine.optim.OptimWrapper`."""
        if self.guard_steps:
            finite = loss.detach().isfinite().all()
            before = self._losses_finite
            self._losses_finite = finite if before is None else before.to(finite.device) & finite
        super().update_params(loss, *args, **kwargs)

    def step(self, **kwargs: Any) -> None:
        """Clip and update, unless a loss or a gradient is not finite."""
        if not self.guard_steps:
            super().step(**kwargs)
            return
        groups = self.optimizer.param_groups
        parameters = [p for group in groups for p in group['params'] if p.grad is not None]
        norms = self._gradient_norms(parameters)
        loss_is_finite, norm = self._read(norms)
        self.steps_due += 1
        self.last_skip, self._norm = None, None
        if loss_is_finite and isfinite(norm):
            self._norm = None if self._gradients_are_scaled else norm
            super().step(**kwargs)
            return
        bad = (~norms.isfinite()).tolist()
        self.last_skip = SkippedStep(
            loss_is_finite,
            [p for p, is_bad in zip(parameters, bad) if is_bad],
            counts=self._leave_out(loss_is_finite, **kwargs),
        )
        self.zero_grad()

    def state_dict(self) -> dict:
        """Return the optimiser's state, and whether a loss of the accumulation is not finite."""
        state = super().state_dict()
        if self._losses_finite is not None and not self._losses_finite:
            state[STATE_KEY] = True
        return state

    def load_state_dict(self, state_dict: dict) -> None:
        """Load the state of this or any other wrapper."""
        state_dict = dict(state_dict)
        spoilt = state_dict.pop(STATE_KEY, False)
        self._losses_finite = torch.tensor(False) if spoilt else None
        super().load_state_dict(state_dict)

    def _leave_out(self, loss_is_finite: bool, **kwargs: Any) -> bool:
        """Handle a skipped update; return whether it counts as divergence."""
        return True

    def _gradient_norms(self, parameters: list[nn.Parameter]) -> Tensor:
        """Return the norm of each gradient (P,), on the device."""
        if not parameters:
            return torch.zeros(0)
        order = (self.clip_grad_kwargs or {}).get('norm_type', 2.0)
        norms = torch._foreach_norm([p.grad.detach() for p in parameters], order)
        return torch.stack([norm.float().to(norms[0].device) for norm in norms])

    def _read(self, norms: Tensor) -> tuple[bool, float]:
        """Return whether the losses are finite, and the norm of all gradients, in one transfer."""
        order = (self.clip_grad_kwargs or {}).get('norm_type', 2.0)
        norm = torch.linalg.vector_norm(norms, order) if len(norms) else norms.sum()
        finite, self._losses_finite = self._losses_finite, None
        # None if `update_params` was not called: then only the gradient is checked.
        flag = torch.ones_like(norm) if finite is None else finite.to(norm)
        if get_world_size() > 1:
            all_reduce(flag, op='min')
        loss_is_finite, value = torch.stack((flag, norm)).tolist()
        return bool(loss_is_finite), value

    def _clip_grad(self) -> None:
        """Clip as MMEngine does, but log the norm computed before, and only if it is finite."""
        groups = self.optimizer.param_groups
        parameters = [p for group in groups for p in group['params'] if p.grad is not None]
        if not parameters:
            return
        norm = self.clip_func(parameters, **self.clip_grad_kwargs)
        if norm is None:  # Clipped by value.
            return
        norm = float(norm) if self._norm is None else self._norm
        if isfinite(norm) or not self.guard_steps:
            self.message_hub.update_scalar(f'train/{self.grad_name}', norm)
