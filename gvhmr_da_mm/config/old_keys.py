"""Former keys of hooks and datasets, which were positions in lists."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from mmengine.config import Config

from ..core.errors import ConfigError
from .old_model_keys import renamed_key

HOOKS = (
    'motion_statistics', 'confidence_threshold', 'mean_teacher', 'selection_rate',
    'domain_monitor', 'collapse_guard', 'collapse_guard',
)  # fmt: skip
"""Names in ``default_hooks`` by the position that hooks had in ``custom_hooks``."""
FIELDS = dict(
    confidence_threshold_start='start',
    confidence_threshold_end='end',
    confidence_step='step',
)
"""Arguments of :class:`ConfidenceThresholdHook`."""
_POSITION = re.compile(r'\b(custom_hooks|datasets)\[(\d+)\]')
_LIST = re.compile(r'\bdatasets\.(append|extend|insert)\b')


def check_old_option(config: Config, key: str) -> None:
    """Check that the key of an override is none of old.

    Args:
        config (Config): What it is for: names of datasets are found there, by their order.
        key (str): The dotted key; positions may be in brackets.

    Raises:
        ConfigError: If it is; the message names the new key.
    """
    parts = _POSITION.sub(r'\1.\2', key).split('.')
    new = list(parts)
    if parts[0] in ('custom_hooks', 'default_hooks'):
        new = [FIELDS.get(part, part) for part in parts]
    if parts[0] == 'custom_hooks' and len(parts) > 1:
        name = _at(HOOKS, parts[1])
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
    """Check that no part of a config is written in an old way.

    Args:
        node (Any): A config, or a part of one.
        where (str): Its key. Defaults to that of a whole config.

    Raises:
        ConfigError: If one is; the message names the new key.
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
        for old in FIELDS.keys() & part.keys():
            raise renamed_key(f'{where}.{old}', f'{where}.{FIELDS[old]}')


def _check_twice(config: Mapping) -> None:
    """Check that no hook is at its old place as well as at its new one."""
    named = {_name(hook): name for name, hook in (config.get('default_hooks') or {}).items()}
    for index, hook in enumerate(config.get('custom_hooks') or ()):
        name = named.get(_name(hook)) if isinstance(hook, Mapping) else None
        if name in HOOKS:
            raise ConfigError(
                f'`custom_hooks.{index}` is a second {_name(hook)}: set the fields of '
                f'`default_hooks.{name}` instead'
            )


def _name(part: Any) -> str:
    """Return the name of the class of a part, empty if it has none."""
    kind = part.get('type', '') if isinstance(part, Mapping) else type(part)
    return kind.rpartition('.')[2] if isinstance(kind, str) else getattr(kind, '__name__', '')


def check_old_file(path: Path) -> None:
    """Say what is old in a config file that cannot be read, if that is why.

    Raises:
        ConfigError: If the file uses a position, or a list, where there are names now.
    """
    text = path.read_text(encoding='utf-8')
    if found := _LIST.search(text):
        raise ConfigError(f'{path}: `{found.group()}` is `datasets.update(<name>=...)` now')
    if found := _POSITION.search(text):
        kind, position = found.groups()
        hook = f'default_hooks.{_at(HOOKS, position) or "<name>"}'
        new = hook if kind == 'custom_hooks' else 'datasets.<name>'
        raise ConfigError(f'{path}: `{found.group()}` is `{new}` now')
