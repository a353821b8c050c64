"""State of optimisers and hooks that MMEngine's checkpoints lack."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mmengine.dist import all_reduce_params, get_world_size
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor


def optimizer_states(runner: Runner) -> dict[str, dict[str, Any]]:
    """Return each optimiser wrapper's count of backward passes and accumulated gradients.

    Returns:
        dict[str, dict[str, Any]]: ``inner_count`` and ``gradients`` (by the index of the parameter)
        of each wrapper, by name. Gradients exist only within an accumulation.
    """
    return {
        name: dict(
            inner_count=wrapper.inner_count,
            gradients={i: p.grad for i, p in enumerate(_parameters(wrapper)) if p.grad is not None},
        )
        for name, wrapper in _wrappers(runner)
    }


def load_optimizer_states(runner: Runner, states: dict[str, dict[str, Any]]) -> None:
    """Set the states that :func:`optimizer_states` returned."""
    for name, wrapper in _wrappers(runner):
        if name in states:
            # MMEngine sets the number of iterations, some of which had no backward pass.
            wrapper._inner_count = states[name]['inner_count']
            gradients = states[name]['gradients']
            for index, parameter in enumerate(_parameters(wrapper)):
                if index in gradients:
                    parameter.grad = gradients[index].to(parameter, copy=True)


def share_gradients(runner: Runner) -> None:
    """Average accumulated gradients over all ranks, as only the first rank saves its own.

    The update averages them anyway: its result is the same up to rounding.
    """
    if get_world_size() > 1:
        for _, wrapper in _wrappers(runner):
            gradients = [p.grad for p in _parameters(wrapper) if p.grad is not None]
            if gradients:
                all_reduce_params(gradients, op='mean')


def hook_states(runner: Runner) -> dict[str, Any]:
    """Return the state of every hook that has ``state_dict`` and ``load_state_dict``."""
    return {name: hook.state_dict() for name, hook in _stateful_hooks(runner)}


def load_hook_states(runner: Runner, states: dict[str, Any]) -> None:
    """Set the states that :func:`hook_states` returned; other hooks keep their initial state."""
    for name, hook in _stateful_hooks(runner):
        if name in states:
            hook.load_state_dict(states[name])


def _stateful_hooks(runner: Runner) -> Iterator[tuple[str, Hook]]:
    """Yield hooks and their names: the class, numbered from its second occurrence."""
    seen: Counter = Counter()
    for hook in runner.hooks:
        if hasattr(hook, 'state_dict') and hasattr(hook, 'load_state_dict'):
            kind = type(hook).__name__
            seen[kind] += 1
            yield (kind if seen[kind] == 1 else f'{kind}.{seen[kind]}'), hook


def _wrappers(runner: Runner) -> Iterator[tuple[str, OptimWrapper]]:
    wrapper = runner.optim_wrapper
    yield from wrapper.items() if isinstance(wrapper, OptimWrapperDict) else [('', wrapper)]


def _parameters(wrapper: OptimWrapper) -> list[Tensor]:
    return [p for group in wrapper.optimizer.param_groups for p in group['params']]
