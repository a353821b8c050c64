"""Errors for former keys of the model, the hooks and the datasets."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from mmengine.config import Config

from ..core.errors import ConfigError

RENAMED_KEYS = {
    'model.num_augmentations': 'model.pseudo_labeler.num_augmentations',
    'model.views': 'model.pseudo_labeler.views',
    'model.confidence': 'model.pseudo_labeler.confidence',
    'model.confidence_threshold': 'model.pseudo_labeler.threshold',
    'model.refiner': 'model.pseudo_labeler.refiner',
    'model.label_path': 'model.pseudo_labeler.trajectory',
    'model.discriminator': 'model.critic.discriminator',
    'model.discriminator_steps': 'model.critic.steps',
    'model.discriminator_weight': 'model.critic.loss_weight',
    'model.adversarial_weight': 'model.critic.adversarial_weight',
    'model.fake_target': 'model.critic.target',
    'model.calibrator': 'model.critic.calibrator',
    'model.confidence_calibration': 'model.critic.calibrator.mode',
    'model.queue_size': 'model.critic.queue.size',
    'model.queue_max_len': 'model.critic.queue.max_len',
    'model.real_weight': 'model.losses.pseudo.loss_weight',
    'model.label_world': 'model.losses.pseudo.world',
    'model.reprojection': 'model.losses.reprojection',
    'model.reprojection.confidence': 'model.losses.reprojection.min_keypoint_score',
    'model.reprojection_weight': 'model.losses.reprojection.loss_weight',
    'model.label_free': 'model.losses',
    'model.teacher': '`momentum` of MeanTeacherHook, 1 for `student`',
    'model.test_cfg.path': 'model.test_cfg.trajectory',
    'model.estimator.test_cfg.path': 'model.estimator.test_cfg.trajectory',
    'model.estimator.feature_alignment': '',
    **{
        f'{model}.{name}': f'{model}.train_cfg.{name}'
        for model in ('model', 'model.estimator')
        for name in ('keypoint_noise', 'condition_dropout', 'detected_keypoint_prob')
    },
}
"""Former keys of the model, and the present ones; empty if the setting no longer exists."""
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


def check_old_keys(config: Config, options: Iterable[str] = ()) -> None:
    """Check that neither a config nor its overrides use former keys.

    Args:
        config (Config): The config, before the overrides.
        options (Iterable[str]): Dotted keys of overrides. Defaults to ().

    Raises:
        ConfigError: If one is used; the message names the present key.
    """
    content, options = config._cfg_dict, list(options)
    _check_twice(content)
    _check_parts(content)
    # Longer ones first: their message is more specific.
    for old in sorted(RENAMED_KEYS, key=len, reverse=True):
        if _holds(content, old) or any(f'{key}.'.startswith(f'{old}.') for key in options):
            raise _renamed(old, RENAMED_KEYS[old])
    for key in options:
        _check_positions(content, key)


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


def _check_positions(content: Mapping, key: str) -> None:
    """Check an override for positions of hooks and datasets, which may be in brackets."""
    parts = _POSITION.sub(r'\1.\2', key).split('.')
    new = list(parts)
    if parts[0] in ('custom_hooks', 'default_hooks'):
        new = [RENAMED_ARGUMENTS.get(part, part) for part in parts]
    if parts[0] == 'custom_hooks' and len(parts) > 1:
        name = _at(HOOKS_BY_POSITION, parts[1])
        if name is None or parts[1] in map(str, range(len(content.get('custom_hooks') or []))):
            return
        new[:2] = ['default_hooks', name]
    elif 'datasets' in parts[:-1]:
        place = parts.index('datasets') + 1
        datasets = _get(content, parts[:place])
        name = _at(list(datasets), parts[place]) if isinstance(datasets, Mapping) else None
        new[place] = name or parts[place]
    if new != parts:
        raise _renamed(key, '.'.join(new))


def _check_parts(node: Any, where: str = '') -> None:
    """Check a part, and all parts in it, for former fields of its class."""
    items: Any = enumerate(node) if isinstance(node, (list, tuple)) else ()
    if isinstance(node, Mapping):
        items = node.items()
        kind = _name(node)
        if kind == 'MultiSourceDataset' and isinstance(node.get('datasets'), (list, tuple)):
            raise ConfigError(
                f'`{where}.datasets` is a list, but datasets have names now: '
                'datasets=dict(bedlam=dict(...), emdb=dict(...), threedpw=dict(...)), and '
                '`weights` the same ones'
            )
        if kind == 'ConfidenceThresholdHook':
            for old in RENAMED_ARGUMENTS.keys() & node.keys():
                raise _renamed(f'{where}.{old}', f'{where}.{RENAMED_ARGUMENTS[old]}')
    for name, value in items:
        _check_parts(value, f'{where}.{name}' if where else str(name))


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


def _renamed(old: str, new: str) -> ConfigError:
    now = f'is now `{new}`'.replace('``', '`') if new else 'no longer exists; leave it out'
    return ConfigError(f'`{old}` {now}; see CHANGELOG.md for all keys that were renamed')


def _at(names: Sequence[str], position: str) -> Optional[str]:
    return names[int(position)] if position.isdigit() and int(position) < len(names) else None


def _get(node: Any, parts: Sequence[str]) -> Any:
    """Return the value below a key of a config, or None."""
    for part in parts:
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _holds(config: Mapping, key: str) -> bool:
    *outer, last = key.split('.')
    part = _get(config, outer)
    return isinstance(part, Mapping) and last in part


def _name(part: Any) -> str:
    """Return the class name of a part, or an empty string."""
    kind = part.get('type', '') if isinstance(part, Mapping) else type(part)
    return kind.rpartition('.')[2] if isinstance(kind, str) else getattr(kind, '__name__', '')
