"""Optimiser wrappers that leave out an update which would spoil the weights."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Optional

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor, nn

SPOILT = 'spoilt_accumulation'


@dataclass(frozen=True)
class SkippedStep:
    """Why an update was left out.

    Args:
        loss_is_finite (bool): Whether every loss of the accumulation was finite, on all ranks.
        parameters (list[nn.Parameter]): Those whose gradients are not finite, in the optimiser's
            order; all or none tells nothing.
        counts (bool): Whether it is a sign of divergence. The first updates in fp16 are left out
            while the scaler looks for its scale; these do not count. Defaults to True.
    """

    loss_is_finite: bool
    parameters: list[nn.Parameter] = field(default_factory=list, repr=False)
    counts: bool = True


class FiniteStepMixin:
    """Skip updates whose loss or gradient is not finite; to be put before an ``OptimWrapper``.

    Weights and optimiser states stay as they are, the accumulated gradients are dropped, and
    :attr:`last_skip` tells why. With accumulation, one bad loss drops the whole update. Off until
    :attr:`guard_steps` is set, as :class:`DivergenceGuardHook` does: skipping without anybody who
    counts would hide a dead run.

    Note:
        The host waits for the device once per update, where MMEngine waits for the norm of the
        gradient anyway; losses are checked on the device. Each update reads the gradients once
        more, and with several ranks one number is exchanged.
    """

    guard_steps = False
    steps_due = 0
    """Updates that were due so far, skipped ones included."""
    last_skip: Optional[SkippedStep] = None
    """Why the last update that was due was skipped; None if it was carried out."""
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
        """Return the optimiser's state, and whether the accumulation under way is spoilt."""
        state = super().state_dict()
        if self._losses_finite is not None and not self._losses_finite:
            state[SPOILT] = True
        return state

    def load_state_dict(self, state_dict: dict) -> None:
        """Load what :meth:`state_dict` or any other wrapper has returned."""
        state_dict = dict(state_dict)
        spoilt = state_dict.pop(SPOILT, False)
        self._losses_finite = torch.tensor(False) if spoilt else None
        super().load_state_dict(state_dict)

    def _leave_out(self, loss_is_finite: bool, **kwargs: Any) -> bool:
        """React to an update that cannot be carried out; tell whether it counts as divergence."""
        return True

    def _gradient_norms(self, parameters: list[nn.Parameter]) -> Tensor:
        """Return the norm of each gradient (P,), on the device."""
        if not parameters:
            return torch.zeros(0)
        order = (self.clip_grad_kwargs or {}).get('norm_type', 2.0)
        norms = torch._foreach_norm([p.grad.detach() for p in parameters], order)
        return torch.stack([norm.float().to(norms[0].device) for norm in norms])

    def _read(self, norms: Tensor) -> tuple[bool, float]:
        """Return whether the losses are finite, and the norm of all gradients: one transfer."""
        order = (self.clip_grad_kwargs or {}).get('norm_type', 2.0)
        norm = torch.linalg.vector_norm(norms, order) if len(norms) else norms.sum()
        finite, self._losses_finite = self._losses_finite, None
        # Without `update_params` only the gradient can tell.
        flag = torch.ones_like(norm) if finite is None else finite.to(norm)
        if get_world_size() > 1:
            all_reduce(flag, op='min')
        loss_is_finite, value = torch.stack((flag, norm)).tolist()
        return bool(loss_is_finite), value

    def _clip_grad(self) -> None:
        """Clip as MMEngine does; log the norm that is known already, and none that is infinite."""
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
