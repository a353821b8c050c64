"""Changes of optimiser and schedule settings when training resumes."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch.optim import Optimizer

from ..core.errors import CheckpointError

NOT_SETTINGS = {'params', 'param_name', 'fused', 'foreach', 'capturable', 'differentiable'}
"""Entries of parameter groups that do not change the result of an update."""
PROGRESS = {
    'last_step', '_global_step', '_last_value', 'base_values', 'verbose',
    'best', 'num_bad_epochs', 'cooldown_counter', 'min_values',
}  # fmt: skip
"""Entries of schedules that change during training, or follow from the optimiser."""
AVERAGES = {'exp_avg', 'momentum_buffer', 'square_avg'}
"""State of optimisers that has the shape of the parameter; other state may be factorised."""
_ADVICE = (
    'a run resumes with the optimisers it was started with. To train its weights with others, '
    'start a new run: leave `--resume` out and set `load_from` to the checkpoint'
)


def apply_overrides(runner: Runner, checkpoint: dict) -> list[str]:
    """Replace settings of a checkpoint that a run resumes from by those of the config.

    MMEngine loads those of the checkpoint, so that a new learning rate would have no effect. A
    learning rate that a schedule has changed keeps its ratio to the initial one.

    Args:
        runner (Runner): Its optimisers and schedules are those of the config.
        checkpoint (dict): Changed in place, before it is loaded.

    Returns:
        list[str]: The changes, by name.

    Raises:
        CheckpointError: If the optimisers or their parameter groups differ, so that the saved state
            cannot be used, or the network has parameters of other shapes.
    """
    changes: list[str] = []
    own, saved = runner.optim_wrapper, checkpoint.get('optimizer')
    if not isinstance(saved, Mapping) or not hasattr(own, 'state_dict'):
        return changes
    several = isinstance(own, OptimWrapperDict)
    wrappers = dict(own.items()) if several else {'': own}
    states = saved if several else {'': saved}
    if several != ('param_groups' not in saved) or set(wrappers) != set(states):
        raise CheckpointError(
            f'the checkpoint has the optimisers {_names(saved)}, `optim_wrapper` builds '
            f'{list(wrappers) if several else "one"}: {_ADVICE}'
        )
    for name, wrapper in wrappers.items():
        where = f'optim_wrapper.{name}' if name else 'optim_wrapper'
        groups = wrapper.optimizer.state_dict()['param_groups']
        _check_groups(where, type(wrapper.optimizer).__name__, groups, states[name])
        _check_shapes(where, wrapper.optimizer, states[name])
        for new, old in zip(groups, states[name]['param_groups']):
            for line in _override_group(new, old):
                changes.append(f'{where}.optimizer.{line}')
        base = states[name].get('base_param_settings')
        if base and wrapper.base_param_settings:
            _override_group(wrapper.base_param_settings, base)
    schedules, theirs = runner.param_schedulers, checkpoint.get('param_schedulers')
    if isinstance(schedules, Mapping) and isinstance(theirs, Mapping):
        for name in schedules.keys() & theirs.keys():
            changes += _override_schedules(f'param_scheduler.{name}', schedules[name], theirs[name])
    elif isinstance(schedules, list) and isinstance(theirs, list):
        changes += _override_schedules('param_scheduler', schedules, theirs)
    return list(dict.fromkeys(changes))


def _names(saved: Mapping) -> Any:
    return 'of a single one' if 'param_groups' in saved else list(saved)


def _check_groups(where: str, optimizer: str, groups: Sequence[dict], state: Mapping) -> None:
    saved = state['param_groups']
    sizes = [len(group['params']) for group in groups]
    sizes_saved = [len(group['params']) for group in saved]
    if sizes != sizes_saved:
        raise CheckpointError(
            f'`{where}` has {len(sizes)} groups of {sum(sizes)} parameters, the checkpoint '
            f'{len(sizes_saved)} of {sum(sizes_saved)} (`paramwise_cfg` or the network '
            f'changed): {_ADVICE}'
        )
    settings, settings_saved = (set(group[0]) - NOT_SETTINGS for group in (groups, saved))
    settings_saved = {name for name in settings_saved if not name.startswith('initial_')}
    missing = {name for name in settings if not name.startswith('initial_')} - settings_saved
    if missing & {'betas', 'momentum', 'alpha', 'rho', 'lambd'}:
        raise CheckpointError(
            f'`{where}.optimizer` is {optimizer}, whose {sorted(missing)} the checkpoint does not '
            f'have; it has {sorted(settings_saved)}: {_ADVICE}'
        )


def _check_shapes(where: str, optimizer: Optimizer, state: Mapping) -> None:
    parameters = [value for group in optimizer.param_groups for value in group['params']]
    saved = [index for group in state['param_groups'] for index in group['params']]
    for parameter, index in zip(parameters, saved):
        for name, value in state.get('state', {}).get(index, {}).items():
            if name in AVERAGES and value is not None and value.shape != parameter.shape:
                raise CheckpointError(
                    f'`{where}`: {name!r} of a parameter of shape {tuple(parameter.shape)} has '
                    f'shape {tuple(value.shape)} in the checkpoint (the network changed): {_ADVICE}'
                )


def _override_group(new: Mapping, old: dict) -> list[str]:
    changes = []
    for name in new.keys() - NOT_SETTINGS:
        initial = f'initial_{name}'
        if name.startswith('initial_') or name not in old:
            continue
        before, wanted = old.get(initial, old[name]), new.get(initial, new[name])
        if _same(before, wanted):
            continue
        is_scheduled = initial in old and initial in new and before
        old[name] = old[name] * wanted / before if is_scheduled else wanted
        if initial in new:
            old[initial] = wanted
        changes.append(f'{name}: {before} in the checkpoint, {wanted} from here on')
    return sorted(changes)


def _override_schedules(where: str, schedules: Sequence, saved: Sequence[dict]) -> list[str]:
    changes = []
    if len(schedules) != len(saved):
        changes.append(f'{where}: {len(saved)} in the checkpoint, {len(schedules)} from here on')
    for index, (schedule, old) in enumerate(zip(schedules, saved)):
        new = schedule.state_dict()
        if 'base_values' in new and 'base_values' in old:
            old['base_values'] = new['base_values']
        for name in sorted((new.keys() & old.keys()) - PROGRESS):
            if not callable(new[name]) and not _same(old[name], new[name]):
                changes.append(
                    f'{where}.{index}.{name}: {old[name]} in the checkpoint, {new[name]} from '
                    'here on'
                )
                old[name] = new[name]
    return changes


def _same(first: Any, second: Any) -> bool:
    first, second = (tuple(v) if isinstance(v, list) else v for v in (first, second))
    return first == second
