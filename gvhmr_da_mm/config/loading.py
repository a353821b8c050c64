"""Loading of configs for the tools: checked overrides, data root, debug limits."""

import difflib
from pathlib import Path
from typing import Any, Optional, Union

from mmengine.config import Config, ConfigDict
from mmengine.runner import Runner

from ..core.errors import ConfigError, MissingFilesError
from ..fileio.paths import DATA_ROOT_VARIABLE
from ..registry.arguments import parameters_of, suggest
from .old_keys import check_old_keys
from .reading import import_custom, read_config, walk
from .values import DATALOADER_FIELDS, check_config, target_of

PathLike = Union[str, Path]
CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
"""Folder of the shipped configs."""
RUNNER_FIELDS = (
    set(parameters_of(Runner)[0]) - {'cfg'}
    | {'optim_wrapper', 'custom_imports', 'model_wrapper_cfg', 'find_unused_parameters'}
    | {'compile', 'sync_bn', 'activation_checkpointing', 'efficient_conv_bn_eval'}
)
"""Top-level fields that a run uses; others are variables of the config file."""
MMENGINE_HOOKS = (
    'runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint',
)  # fmt: skip
"""Default hooks that ``Runner.register_default_hooks`` adds, unless they are None."""
MISSPELT = 0.8
"""Similarity from which a name is taken for another one, misspelt."""
MISSPELT_WORD = 0.6
"""That of each of their words: a slip in a short one weighs more."""


def load_config(
    path: PathLike, options: Optional[dict] = None, data_root: Optional[PathLike] = None
) -> Config:
    """Read a config and apply overrides.

    Args:
        path (str | Path): The config file.
        options (dict, optional): ``--cfg-options`` by dotted key. Defaults to None.
        data_root (str | Path, optional): New data root of all datasets, body models and metrics.
            Defaults to None.

    Returns:
        Config: The config of the run.

    Raises:
        MissingFilesError: If the file does not exist.
        ConfigError: If the file cannot be read, an override names a field that does not exist, no
            part has a data root, or a field has a value of a wrong type or out of range.
    """
    if not Path(path).is_file():
        raise MissingFilesError(
            f'there is no config file {str(path)!r}; the configs are in the folder `configs`, and '
            '`mim search gvhmr_da_mm` lists those of an installed package'
        )
    config = read_config(Path(path))
    # A run formats its config five times, and YAPF takes seconds each time if a long path does not
    # fit a line. `Config.fromfile` ignores the argument for dumped configs.
    object.__setattr__(config, '_format_python_code', False)
    finish_config(config, options, data_root)
    return config


def finish_config(
    config: Config, options: Optional[dict] = None, data_root: Optional[PathLike] = None
) -> None:
    """Check a config that was read, and apply overrides.

    Args:
        config (Config): Changed in place.
        options (dict, optional): As for :func:`load_config`. Defaults to None.
        data_root (str | Path, optional): As for :func:`load_config`. Defaults to None.

    Raises:
        MissingFilesError: If the data root is no folder.
        ConfigError: As :func:`load_config`.
    """
    check_old_keys(config)
    if options:
        check_options(config, options)
        try:
            config.merge_from_dict(options)
        except (TypeError, KeyError) as error:
            raise ConfigError(f'`--cfg-options` cannot be applied: {error}') from error
        if any(key.split('.')[0] == 'custom_imports' for key in options):
            import_custom(config)
        for loader in walk(config._cfg_dict):
            if loader.get('num_workers') == 0:
                switch_workers_off(loader)
    check_config(config)
    drop_disabled_hooks(config)
    log_by_iteration(config)
    if data_root is not None:
        data_root = Path(data_root).expanduser()
        if not data_root.is_dir():
            raise MissingFilesError(f'the data root {str(data_root)!r} is not a folder')
        set_data_root(config, data_root)


def drop_disabled_hooks(config: Config) -> None:
    """Remove default hooks that are None, which MMEngine accepts for its own hooks only.

    Args:
        config (Config): Changed in place.

    Raises:
        ConfigError: If the name of one is that of a hook that stays, misspelt.
    """
    hooks = config._cfg_dict.get('default_hooks') or {}
    off = [name for name, hook in hooks.items() if hook is None]
    left = {*MMENGINE_HOOKS, *hooks}.difference(off)
    for name in off:
        near = [other for other in left if _is_misspelt(name, other)]
        if near and name not in MMENGINE_HOOKS:
            meant = max(near, key=lambda other: _similarity(name, other))
            raise ConfigError(
                f'`default_hooks.{name}` is None, which turns no hook off, as `{meant}` stays; '
                f'did you mean {meant!r}? If it is a hook of yours, leave out its name'
            )
    for name in off:
        # Without the name, MMEngine would add its own hook.
        if name not in MMENGINE_HOOKS:
            del hooks[name]


def _is_misspelt(name: str, other: str) -> bool:
    """Return whether a name is another one, misspelt: similar as a whole, and word by word.

    A word more or of its own, or a number, are meant: `my_logger`, `guard_train` or `guard2`.
    """
    name, other = (''.join(c for c in each if not c.isdigit()) for each in (name, other))
    if name == other or _similarity(name, other) < MISSPELT:
        return False
    pairs = [name.split('_'), other.split('_')]
    if len(pairs[0]) != len(pairs[1]):
        return name.replace('_', '') == other.replace('_', '')
    return all(_similarity(*words) >= MISSPELT_WORD for words in zip(*pairs))


def _similarity(name: str, other: str) -> float:
    return difflib.SequenceMatcher(None, name, other).ratio()


def log_by_iteration(config: Config) -> None:
    """Log validations of a loop without epochs by its iterations; MMEngine logs all at step 0.

    Args:
        config (Config): Changed in place, unless the logger hook sets ``log_metric_by_epoch``.
    """
    loop = config.get('train_cfg') or {}
    logger = (config._cfg_dict.get('default_hooks') or {}).get('logger')
    if logger and loop.get('max_iters') and not loop.get('max_epochs'):
        logger.setdefault('log_metric_by_epoch', False)


def check_options(config: Config, options: dict[str, Any]) -> None:
    """Check that overrides set fields that exist.

    MMEngine adds unknown keys silently, so that a misspelt override has no effect.

    Args:
        config (Config): The config before the overrides.
        options (dict[str, Any]): Values by dotted key; list items by index.

    Raises:
        ConfigError: If a key is unknown; the message suggests similar ones.
    """
    check_old_keys(config, options)
    for key in options:
        node, parts = config._cfg_dict, key.split('.')
        options_of_part: set[str] = set()
        if parts[0] in node and parts[0] not in RUNNER_FIELDS:
            raise ConfigError(
                f'`--cfg-options {key}={options[key]}`: {parts[0]!r} is a variable of the config '
                'file, and fields computed from it would not change; set those fields instead'
            )
        for depth, part in enumerate(parts):
            where = '.'.join(parts[:depth])
            known = _fields(node, where) | options_of_part if depth else RUNNER_FIELDS
            if options.get(f'{where}.type'):  # Fields of the new class.
                target = target_of(dict(type=options[f'{where}.type']), where)
                known = known | set(parameters_of(target)[0])
            if part not in known and _is_new_part(node, '.'.join(parts[: depth + 1]), options):
                break
            if part not in known:
                raise ConfigError(
                    f'`--cfg-options {key}={options[key]}`: there is no {part!r} in '
                    f'{where or "the top level of the config"}; {suggest(part, known)}'
                )
            options_of_part = _option_keys(node, where, part)
            node = _child(node, part)
            if node is None:
                break


def _fields(node: Any, where: str) -> set[str]:
    """Return the keys that can be set below a node of the given key."""
    if isinstance(node, (list, tuple)):
        return {str(index) for index in range(len(node))}
    if not isinstance(node, dict):
        return set()
    fields = {'type', '_delete_', *node}
    if where == 'randomness':
        fields |= set(parameters_of(Runner.set_randomness)[0])
    if 'dataset' in node and 'sampler' in node:  # A dataloader has no `type`.
        fields |= DATALOADER_FIELDS
    target = target_of(node, where)
    if target is not None:
        fields |= set(parameters_of(target)[0])
    return fields


def _option_keys(node: Any, where: str, part: str) -> set[str]:
    """Return the keys of an argument that is a dict of options, if the class of a node has them."""
    target = target_of(node, where) if isinstance(node, dict) else None
    return set(getattr(target, 'OPTION_KEYS', {}).get(part, ()))


def _is_new_part(node: Any, where: str, options: dict[str, Any]) -> bool:
    """Return whether overrides add a part, with its type, to a dict of named parts."""
    if not isinstance(node, dict) or {'type', 'constructor'} & set(node):
        return False
    if not all(part is None or isinstance(part, dict) and 'type' in part for part in node.values()):
        return False
    return f'{where}.type' in options


def _child(node: Any, part: str) -> Any:
    if isinstance(node, (list, tuple)):
        return node[int(part)]
    return node.get(part) if isinstance(node, dict) else None


def set_data_root(config: Union[Config, ConfigDict], data_root: PathLike) -> None:
    """Set ``data_root`` of every dataset, body model and metric of a config.

    Args:
        config (Config): Changed in place.
        data_root (str | Path): The folder; stored as an absolute path.

    Raises:
        ConfigError: If no part has a ``data_root``.
    """
    root = str(Path(data_root).absolute())
    changed = 0
    for part in walk(getattr(config, '_cfg_dict', config)):
        if 'data_root' in part:
            part['data_root'] = root
            changed += 1
    if not changed:
        raise ConfigError(
            f'`--data-root` has no effect: no part of this config has a field `data_root`; add '
            f'`data_root=None` to its datasets and body models, or set {DATA_ROOT_VARIABLE}'
        )


def switch_workers_off(loader: dict) -> None:
    """Let the main process read, without the fields that PyTorch refuses then.

    Args:
        loader (dict): Config of a dataloader, changed in place.
    """
    loader.update(num_workers=0, persistent_workers=False)
    loader.pop('prefetch_factor', None)


def limit_for_debugging(config: Config) -> None:
    """Shorten a run to two epochs of a few batches in one process, with a log of each iteration.

    Args:
        config (Config): Changed in place.
    """
    config.train_cfg.update(max_epochs=2, val_interval=1)
    hooks = config.get('default_hooks') or {}
    if hooks.get('logger'):
        hooks.logger.update(interval=1)
    config.train_dataloader.batch_sampler.update(batches_per_epoch=4)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(name)
        if loader:
            switch_workers_off(loader)
            if name != 'train_dataloader':
                loader.update(num_batch_per_epoch=3)
