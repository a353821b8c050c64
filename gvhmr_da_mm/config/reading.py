"""Reading of config files, with errors that name file and line."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from ..core.errors import ConfigError, GVHMRError
from .old_keys import check_old_file


def read_config(path: Path) -> Config:
    """Read a config file, and import the modules of its ``custom_imports``.

    MMEngine imports them for configs with ``_base_`` only, not for those with ``read_base``.

    Args:
        path (Path): A file that exists.

    Returns:
        Config: The unchanged content of the file.

    Raises:
        ConfigError: If the file, or one that it inherits from, cannot be executed, or a module of
            ``custom_imports`` cannot be imported.
    """
    try:
        config = Config.fromfile(str(path), import_custom_modules=False)
        for _ in walk(config._cfg_dict):  # Imports of a `read_base` config run on access.
            pass
    except GVHMRError:
        raise
    except Exception as error:  # A config is a program and may raise anything.
        if isinstance(error, (IndexError, KeyError, AttributeError)):
            check_old_file(path)  # Such as positions in a list that is a dict now.
        raise ConfigError(_message(path, error)) from error
    for name, value in config._cfg_dict.items():
        if isinstance(value, ModuleType):
            raise ConfigError(
                f'{path}: `{name}` is a module, which cannot be part of a config. Import it in a '
                f'function, or write `del {name}` at the end of the file'
            )
    import_custom(config)
    return config


def import_custom(config: Config) -> None:
    """Import the modules of ``custom_imports`` of a config.

    Args:
        config (Config): Its ``custom_imports`` has ``imports`` and ``allow_failed_imports``.

    Raises:
        ConfigError: If one cannot be imported and ``allow_failed_imports`` is not set.
    """
    wanted = config.get('custom_imports')
    if not wanted:
        return
    try:
        import_modules_from_strings(**wanted)
    except (ImportError, TypeError) as error:
        raise ConfigError(
            f'`custom_imports`={dict(wanted)} cannot be imported: {error}. Python searches the '
            'folders of $PYTHONPATH and installed packages, not the current folder: set '
            'PYTHONPATH to the folder of the module, or install it'
        ) from error


def walk(node: Any) -> Iterator[dict]:
    """Yield every dict of a config, outer ones first."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from walk(value)


def _message(path: Path, error: Exception) -> str:
    where = str(path)
    frames = traceback.extract_tb(error.__traceback__)
    of_config = [frame for frame in frames if 'site-packages' not in frame.filename]
    if isinstance(error, SyntaxError) and error.lineno:
        where += f', line {error.lineno}'
    elif of_config and Path(of_config[-1].filename).suffix == '.py':
        last = of_config[-1]
        if Path(last.filename) != Path(__file__):
            where = f'{last.filename}, line {last.lineno}'
    text = str(error)
    if isinstance(error, FileNotFoundError):
        text = f'it inherits from {error.filename!r}, which does not exist'
    elif 'inheritance chain must match' in text:
        text = (
            'it names its base by `_base_`, but the base is written with `read_base`. Write '
            '`with read_base():` and an import below it, as docs/en/extending.md shows'
        )
    return f'the config {where} cannot be read: {type(error).__name__}: {text}'
