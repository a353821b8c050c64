"""Checks of names, types and limits of all config fields, before anything is built."""

import inspect
from collections.abc import Mapping
from multiprocessing import get_all_start_methods
from typing import Any, Literal, NamedTuple, Optional, Union, get_args, get_origin

from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.registry import Registry
from mmengine.runner import Priority, Runner, get_priority
from mmengine.utils import get_object_from_string
from torch.utils.data import DataLoader, Dataset

from .. import registry as registries
from ..core.errors import ConfigError
from ..registry.arguments import (
    check_arguments,
    check_fields,
    check_names,
    check_value,
    parameters_of,
    suggest,
)

_NOT_PASSED = (
    'type', 'constructor', '_scope_', '_delete_', 'priority', 'convert_to_iter_based',
)  # fmt: skip
"""Fields that MMEngine removes before it builds a part."""
_UNREGISTERED_TYPES = {'on_trace_ready', 'schedule'}
"""Fields of MMEngine's ProfilerHook whose types are in no registry."""
_PLAIN_TYPES = (int, float, bool, str)
_PLAIN_DICTS = {
    'backend_args', 'clip_grad', 'compile', 'file_client_args', 'metainfo', 'paramwise_cfg',
    'test_cfg', 'train_cfg',
}  # fmt: skip
"""Fields of our classes that are dicts of values; all other dicts are configs of parts."""

_PLAIN_FIELDS = dict(
    env_cfg=('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'),
    auto_scale_lr=('base_batch_size', 'enable'),
)
"""Fields of dicts without a type; MMEngine ignores others."""
LISTS_OF_PARTS = dict(custom_hooks=Hook, val_evaluator=BaseMetric, test_evaluator=BaseMetric)
"""Fields that are lists of objects or of their configs, and the classes."""
LOOP_LIMITS = ('max_epochs', 'max_iters', 'val_begin', 'val_interval')
"""Arguments that our loops inherit from MMEngine's."""
DATALOADER_FIELDS = {
    'batch_sampler', 'collate_fn', 'dataset', 'indices', 'num_batch_per_epoch', 'sampler',
    'worker_init_fn', '_delete_', *inspect.signature(DataLoader).parameters,
}  # fmt: skip
REQUIRED_FIELDS = {'max_epochs', 'max_iters'}
"""Fields that are required wherever a class accepts them."""


class Limit(NamedTuple):
    """Type and range of a field of another library, which itself gives no helpful error."""

    hint: Any
    low: Optional[float] = None
    above: bool = False
    """Whether ``low`` itself is out of range."""


LIMITS = dict(
    batch_size=Limit(int, 1),
    num_workers=Limit(int, 0),
    prefetch_factor=Limit(Optional[int], 1),
    persistent_workers=Limit(bool),
    pin_memory=Limit(bool),
    drop_last=Limit(bool),
    shuffle=Limit(bool),
    max_epochs=Limit(int, 1),
    max_iters=Limit(int, 1),
    val_begin=Limit(int, 0),
    val_interval=Limit(int, 1),
    accumulative_counts=Limit(int, 1),
    lr=Limit(float, 0),
    weight_decay=Limit(float, 0),
    eps=Limit(float, 0),
    max_norm=Limit(float, 0, above=True),
    max_keep_ckpts=Limit(int, -1),
    window_size=Limit(int, 1),
    by_epoch=Limit(bool),
    seed=Limit(Optional[int], 0),
    interval=Limit(int, -1),
    T_max=Limit(Optional[int], 1),
    step_size=Limit(int, 1),
    milestones=Limit(list[int]),
    start_factor=Limit(float, 0, above=True),
    timeout=Limit(float, 0),
    mp_start_method=Limit(Optional[Literal[tuple(get_all_start_methods())]]),
)
"""Limits of fields of MMEngine's and PyTorch's classes, and of dataloaders, by name."""


def check_config(config: Union[Config, Mapping]) -> None:
    """Check names, types and limits of all fields of a config.

    Fields of our classes are checked against their signatures; of other libraries only plain values
    are, against the signatures and :data:`LIMITS`.

    Args:
        config (Config): The config of a run.

    Raises:
        ConfigError: Names the field, the expected value, and the value found.
    """
    content = config._cfg_dict if isinstance(config, Config) else config
    known, _ = parameters_of(Runner)
    for name, value in content.items():
        if name.endswith('_dataloader') and isinstance(value, Mapping):
            _check_dataloader(value, name)
        if name in LISTS_OF_PARTS and isinstance(value, (list, tuple)):
            for key, part in enumerate(value):
                _check_part(part, LISTS_OF_PARTS[name], f'{name}.{key}')
        elif name == 'default_hooks' and isinstance(value, Mapping):
            for key, part in value.items():
                _check_part(part, Optional[Hook], f'{name}.{key}')
        elif name in _PLAIN_FIELDS and isinstance(value, Mapping):
            check_fields(value, _PLAIN_FIELDS[name], f'`{name}`')
        elif name == 'randomness' and isinstance(value, Mapping):
            for key, hint in check_names(Runner.set_randomness, value, name).items():
                if hint is bool and key in value:
                    check_value(value[key], hint, f'{name}.{key}')
        if name in known:
            check_value(value, known[name], name)
        if name == 'log_processor' and isinstance(value, Mapping):
            _check_custom_logs(value)
            value = {key: part for key, part in value.items() if key != 'custom_cfg'}
        _check_node(value, name)


def _check_part(part: Any, hint: Any, where: str) -> None:
    """Check that a part is an object, or a dict with a type."""
    check_value(part, hint, where)
    if isinstance(part, Mapping) and 'type' not in part:
        raise ConfigError(f'`{where}` should have a `type`, got {dict(part)!r:.200}')


def _check_dynamic_intervals(value: Any, where: str) -> None:
    """Check the intervals of validation from some epochs on."""
    check_value(value, Optional[list[tuple[int, int]]], where)
    for begin, interval in value or ():
        if begin < 0 or interval < 1:
            raise ConfigError(
                f'`{where}` should be pairs of a beginning of at least 0 and an interval of at '
                f'least 1, got {(begin, interval)}'
            )


def _check_custom_logs(processor: Mapping) -> None:
    """Check the statistics of logs, which MMEngine reads at the first log or later."""
    where = 'log_processor.custom_cfg'
    entries = processor.get('custom_cfg')
    check_value(entries, Optional[list[dict]], where)
    HistoryBuffer()  # MMEngine registers its own statistics with the first one.
    methods = HistoryBuffer._statistics_methods
    for index, entry in enumerate(entries or ()):
        place, method = f'{where}.{index}', entry.get('method_name')
        for name in ('data_src', 'method_name'):
            check_value(entry.get(name), str, f'{place}.{name}')
        if method not in methods:
            raise ConfigError(
                f'`{place}.method_name`: there is no statistic {method!r} of logs; '
                f'{suggest(method, methods)}'
            )
        known = parameters_of(methods[method])[0]
        check_fields(entry, {'data_src', 'log_name', 'method_name', *known}, f'`{place}`')
        by_epoch = processor.get('by_epoch', True)
        windows = ('epoch', 'global') if by_epoch else ('global',)
        if 'window_size' in entry or ('window_size' in known and not by_epoch):
            window = entry.get('window_size')
            check_value(window, Union[int, Literal[windows]], f'{place}.window_size')
            if isinstance(window, int) and window < 1:
                raise ConfigError(f'`{place}.window_size` should be at least 1, got {window}')


def _check_priority(hook: Mapping, where: str) -> None:
    """Check the priority of a hook, which MMEngine reads when the hook is registered."""
    if hook.get('priority') is None:
        return
    try:
        get_priority(hook['priority'])
    except (KeyError, TypeError, ValueError) as error:
        names = ', '.join(priority.name for priority in Priority)
        raise ConfigError(
            f'`{where}.priority` should be from 0 to 100, or one of {names}, got '
            f'{hook["priority"]!r:.80}'
        ) from error


def _check_nested_parts(value: Any, hint: Any, where: str) -> None:
    """Check that parts, also in a list or dict of them, have a type."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is dict and isinstance(value, Mapping):
        _check_part(value, hint, where)
    elif origin is Union:
        for option in inner:
            _check_nested_parts(value, option, where)
    elif inner and inner[-1] in (dict, Optional[dict]):
        if isinstance(value, (list, tuple, Mapping)):
            for key, part in value.items() if isinstance(value, Mapping) else enumerate(value):
                _check_part(part, inner[-1], f'{where}.{key}')


def _check_dataloader(loader: Mapping, where: str) -> None:
    """Check the fields of a dataloader."""
    check_fields(loader, DATALOADER_FIELDS, f'`{where}`')
    if 'dataset' not in loader:
        raise ConfigError(f'`{where}` should have a `dataset`')
    for name, hint in (('dataset', Dataset), ('sampler', Any), ('batch_sampler', Any)):
        _check_part(loader.get(name), hint, f'{where}.{name}')
    if loader.get('num_workers', 0) == 0 and loader.get('persistent_workers'):
        raise ConfigError(
            f'`{where}.persistent_workers` should be False where `num_workers` is 0: there is no '
            'worker to keep'
        )
    if loader.get('num_workers', 0) == 0 and loader.get('prefetch_factor') is not None:
        raise ConfigError(
            f'`{where}.prefetch_factor` should be None where `num_workers` is 0: there is no '
            'worker to read ahead'
        )


def _check_node(node: Any, where: str) -> None:
    if isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            _check_node(value, f'{where}.{index}')
        return
    if not isinstance(node, Mapping):
        return
    if '_delete_' in node:
        raise ConfigError(
            f'`{where}._delete_` has no effect in `.update()`: use `.merge(dict(...))`, or assign '
            'the whole part'
        )
    target = target_of(node, where)
    arguments = {name: value for name, value in node.items() if name not in _NOT_PASSED}
    hints: dict[str, Any] = {}
    if target is None:
        limited = node
    elif registries.is_ours(target):
        # A constructor of optimisers takes the node as one dict, not as arguments.
        if 'constructor' not in node:
            check_arguments(target, arguments, where)
            known, _ = parameters_of(target)
            for name in known.keys() & arguments.keys() - _PLAIN_DICTS:
                _check_nested_parts(arguments[name], known[name], f'{where}.{name}')
        limited = {name: node[name] for name in LOOP_LIMITS if name in node}
    else:
        known = check_names(target, arguments, where)
        hints = {name: hint for name, hint in known.items() if hint in _PLAIN_TYPES}
        limited = node
    _check_limits(limited, hints, where)
    if isinstance(target, type) and issubclass(target, Hook):
        _check_priority(node, where)
    _check_dynamic_intervals(node.get('dynamic_intervals'), f'{where}.dynamic_intervals')
    if target is not None:
        missing = REQUIRED_FIELDS & set(parameters_of(target)[0]) - set(node)
        if missing:
            raise ConfigError(f'`{where}` should have a field {missing.pop()!r}')
    for name, value in node.items():
        if name == 'clip_grad' and isinstance(value, Mapping):
            # Its `type` is a word of MMEngine's, such as 'value'.
            value = {option: value[option] for option in value if option != 'type'}
        if name not in _UNREGISTERED_TYPES:
            _check_node(value, f'{where}.{name}')


def target_of(node: Mapping, where: str) -> Any:
    """Return the class or function that a dict configures, or None.

    Args:
        node (Mapping): Any dict of a config.
        where (str): Its dotted key.

    Raises:
        ConfigError: If its ``type`` is not the name of a class or function.
    """
    target = node.get('type', node.get('constructor'))
    if target is None and not {'type', 'constructor'} & set(node):
        return None
    if isinstance(target, str):
        found = _look_up(target) if target else None
        if not callable(found):  # MMEngine also finds modules.
            raise ConfigError(
                f'`{where}.type` should be a registered class or the full name of one, got '
                f'{target!r}. Check the spelling, and that `custom_imports` imports its module'
            )
        return found
    if not callable(target):
        raise ConfigError(f'`{where}.type` should be a class or its name, got {target!r:.80}')
    return target


def _look_up(name: str) -> Any:
    """Return a class by its name in any registry, or by its full name, or None."""
    found = get_object_from_string(name) if '.' in name else None
    known = [each for each in vars(registries).values() if isinstance(each, Registry)]
    # What a registry does not hold it takes for a module, and searches the whole of `sys.path`.
    for registry in sorted(known, key=lambda each: not _holds(each, name)):
        if found is None:
            found = registry.get(name)
    return found


def _holds(registry: Registry, name: str) -> bool:
    """Return whether a registry, or one above it, has a class of this name."""
    registry.import_from_location()
    while registry is not None and name not in registry.module_dict:
        registry = registry.parent
    return registry is not None


def _check_limits(node: Mapping, hints: dict[str, Any], where: str) -> None:
    for name, value in node.items():
        limit = LIMITS.get(name, Limit(hints.get(name, Any)))
        check_value(value, limit.hint, f'{where}.{name}')
        if value is None or limit.low is None:
            continue
        if value < limit.low or (limit.above and value == limit.low):
            relation = 'above' if limit.above else 'of at least'
            raise ConfigError(
                f'`{where}.{name}` should be a number {relation} {limit.low:g}, got {value!r:.80}'
            )
