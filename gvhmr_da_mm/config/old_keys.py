"""Errors for former keys of hooks and datasets, which were positions in lists."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from mmengine.config import Config

from ..core.errors import ConfigError
from .old_model_keys import renamed_key

HOOKS_BY_POSITION = (
    'motion_statistics', 'confidence_threshold', 'mean_teacher', 'selection_rate',
    'domain_monitor', 'collapse_guard', 'collapse_guard',
)  # fmt: skip
"""Names in ``default_hooks`` by the position that hooks had in ``custom_hooks``."""
RENAMED_ARGUMENTS = dict(
    confidence_threshold_start='start',
    confidence_threshold_end='end',
    confidence_step='step',
)
"""Former and present arguments of :class:`ConfidenceThresholdHook`."""
_POSITION = re.compile(r'\b(custom_hooks|datasets)\[(\d+)\]')
_LIST = re.compile(r'\bdatasets\.(append|extend|insert)\b')


def check_old_option(config: Config, key: str) -> None:
    """Check that the key of an override is not a former one.

    Args:
        config (Config): The config; the order of its datasets gives the names of old positions.
        key (str): The dotted key; positions may be in brackets.

    Raises:
        ConfigError: If it is; the message names the present key.
    """
    parts = _POSITION.sub(r'\1.\2', key).split('.')
    new = list(parts)
    if parts[0] in ('custom_hooks', 'default_hooks'):
        new = [RENAMED_ARGUMENTS.get(part, part) for part in parts]
    if parts[0] == 'custom_hooks' and len(parts) > 1:
        name = _at(HOOKS_BY_POSITION, parts[1])
        if name is None or parts[1] in map(str, range(len(config.get('custom_hooks') or []))):
            return
        new[:2] = ['default_hooks', name]
    elif 'datasets' in parts[:-1]:
        place = parts.index('datasets') + 1
        node: Any = config._cfg_dict
        for part in parts[:place]:
            node = node.get(part) if isinstance(node, Mapping) else None
        name = _at(list(node), parts[place]) if isinstance(node, Mapping) else None
        new[place] = name or parts[place]
    if new != parts:
        raise renamed_key(key, '.'.join(new))


def _at(names: Sequence[str], position: str) -> Optional[str]:
    return names[int(position)] if position.isdigit() and int(position) < len(names) else None


def check_old_parts(node: Any, where: str = '') -> None:
    """Check that no part of a config uses former keys.

    Args:
        node (Any): A config, or a part of one.
        where (str): Its dotted key. Defaults to '', the whole config.

    Raises:
        ConfigError: If one does; the message names the present key.
    """
    if isinstance(node, Mapping):
        _check_part(node, where)
        if not where:
            _check_twice(node)
        items = node.items()
    else:
        items = enumerate(node) if isinstance(node, (list, tuple)) else ()
    for name, value in items:
        check_old_parts(value, f'{where}.{name}' if where else str(name))


def _check_part(part: Mapping, where: str) -> None:
    kind = _name(part)
    if kind == 'MultiSourceDataset' and isinstance(part.get('datasets'), (list, tuple)):
        raise ConfigError(
            f'`{where}.datasets` is a list, but datasets have names now: '
            'datasets=dict(bedlam=dict(...), emdb=dict(...), threedpw=dict(...)), and `weights` '
            'the same ones'
        )
    if kind == 'ConfidenceThresholdHook':
        for old in RENAMED_ARGUMENTS.keys() & part.keys():
            raise renamed_key(f'{where}.{old}', f'{where}.{RENAMED_ARGUMENTS[old]}')


def _check_twice(config: Mapping) -> None:
    """Check that no named default hook is repeated in ``custom_hooks``."""
    named = {_name(hook): name for name, hook in (config.get('default_hooks') or {}).items()}
    for index, hook in enumerate(config.get('custom_hooks') or ()):
        name = named.get(_name(hook)) if isinstance(hook, Mapping) else None
        if name in HOOKS_BY_POSITION:
            raise ConfigError(
                f'`custom_hooks.{index}` is a second {_name(hook)}: set the fields of '
                f'`default_hooks.{name}` instead'
            )


def _name(part: Any) -> str:
    """Return the class name of a part, or an empty string."""
    kind = part.get('type', '') if isinstance(part, Mapping) else type(part)
    return kind.rpartition('.')[2] if isinstance(kind, str) else getattr(kind, '__name__', '')


def check_old_file(path: Path) -> None:
    """Check a config file that cannot be read for former keys.

    Raises:
        ConfigError: If it uses positions, or list methods, where there are names now.
    """
    text = path.read_text(encoding='utf-8')
    if found := _LIST.search(text):
        raise ConfigError(f'{path}: `{found.group()}` is `datasets.update(<name>=...)` now')
    if found := _POSITION.search(text):
        kind, position = found.groups()
        hook = f'default_hooks.{_at(HOOKS_BY_POSITION, position) or "<name>"}'
        new = hook if kind == 'custom_hooks' else 'datasets.<name>'
        raise ConfigError(f'{path}: `{found.group()}` is `{new}` now')
