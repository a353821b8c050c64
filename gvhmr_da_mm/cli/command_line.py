"""Options and error reports of the command-line tools."""

import argparse
import functools
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Optional, Union

from ..core.errors import ConfigError, GVHMRError
from ..fileio.paths import DATA_ROOT_VARIABLE

USER_ERROR_STATUS = 2
"""Exit status after an error that the user can fix."""


class ConfigOptions(argparse.Action):
    """MMEngine's ``DictAction``, imported once an option is given, so that ``--help`` is fast."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: list[str],
        option_string: Optional[str] = None,
    ) -> None:
        """Store the options as a dict."""
        from mmengine.config import DictAction

        try:
            DictAction(self.option_strings, self.dest)(parser, namespace, values, option_string)
        except (
            AssertionError,
            RecursionError,
            ValueError,
        ):  # MMEngine's, at `dict(...)` in a list.
            parser.error(
                f'argument {option_string}: expected KEY=VALUE, where values are numbers, strings, '
                f'True, False, None or lists of them, got {" ".join(values)!r}. Set fields of a '
                'part one by one (`default_hooks.ema.type=EMAHook`), or write a config'
            )


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the tools that run a config."""
    parser.add_argument(
        '--work-dir',
        type=os.path.expanduser,  # No shell does so in `--work-dir=~/runs`.
        help='where logs, checkpoints and results are written',
    )
    _add_config_options(parser)
    launchers = ['none', 'pytorch', 'slurm', 'mpi']
    parser.add_argument('--launcher', type=_launcher, choices=launchers, default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the tools that read the datasets of a config."""
    parser.add_argument('config', help='config file')
    parser.add_argument('--dataset', help='one of its datasets, such as emdb_train; default: all')
    _add_config_options(parser)


def _launcher(name: str) -> str:
    if name in ('gloo', 'nccl'):
        raise argparse.ArgumentTypeError(
            f'{name} is a backend, not a launcher: start the processes with tools/dist_train.sh or '
            f'dist_test.sh, and set `--cfg-options env_cfg.dist_cfg.backend={name}`'
        )
    return name


def add_executor_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the tools whose tasks run side by side."""
    parser.add_argument('--jobs', type=int, default=1, help='processes (default: 1)')
    parser.add_argument(
        '--executor',
        default='processes',
        help='processes (default); dask, a cluster of Dask on this machine; or dask:ADDRESS, a '
        'running one, by the address or the JSON file of its scheduler (docs/en/packs.md)',
    )


def _add_config_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--data-root',
        type=os.path.expanduser,
        help='folder of all datasets and body models; defaults to '
        f'${DATA_ROOT_VARIABLE}, then to `data`',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override fields of the config, e.g. model.pseudo_labeler.num_augmentations=3',
    )


def set_local_rank(args: argparse.Namespace) -> None:
    """Pass the rank, an option of older launchers, to MMEngine in its environment variable."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))


def report_errors(main: Callable) -> Callable:
    """End a tool with a message, not a traceback, where the user can fix the cause."""

    @functools.wraps(main)
    def wrapper(*args, **kwargs):
        try:
            return main(*args, **kwargs)
        except GVHMRError as error:
            name = type(error).__name__
            print(f'{name}: {_original_message(name, str(error))}', file=sys.stderr)
            sys.exit(USER_ERROR_STATUS)
        except OSError as error:
            # Without a file name it is a bug, which needs its traceback.
            if error.filename is None:
                raise
            print(
                f'StorageError: {error.filename!r} cannot be read or written ({error.strerror}): '
                'check that it exists, is of the right kind and may be used, or choose another',
                file=sys.stderr,
            )
            sys.exit(USER_ERROR_STATUS)
        except Exception as error:
            part = _refused_part(error)
            if part is None:
                raise
            print(
                f'ConfigError: {part}: {str(error).rstrip(".")} ({type(error).__name__}). Change '
                'what the config sets there, or leave it out',
                file=sys.stderr,
            )
            sys.exit(USER_ERROR_STATUS)

    return wrapper


def _refused_part(error: Exception) -> Optional[str]:
    """Describe the part of a config that a class of another library refuses; None for a bug.

    Fields of our own classes are checked before; of others only some limits are known. It is a
    refusal if it is raised while a part is built, with no code at work but that of the library,
    or our constructors that pass arguments on to it.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    builders = [number for number, frame in enumerate(frames) if _builds(frame)]
    if not builders:
        return None
    builder, inner = frames[builders[-1]], frames[builders[-1] + 1 :]
    passed_on = all(
        _package(frame) in _LIBRARIES
        or (_package(frame) == _OURS and frame.f_code.co_name == '__init__')
        for frame in inner
    )
    if not passed_on or (inner and _package(inner[-1]) == _OURS):
        return None
    return _BUILDERS[builder.f_code.co_name](builder.f_locals)


def _builds(frame: FrameType) -> bool:
    """Return whether it is a function of MMEngine that builds a part of a config."""
    return _package(frame) == 'mmengine' and frame.f_code.co_name in _BUILDERS


def _package(frame: FrameType) -> str:
    """Return the package of the code that was at work."""
    return frame.f_globals.get('__name__', '').partition('.')[0]


def _describe_part(local: dict[str, Any]) -> str:
    """Describe the part that MMEngine's ``build_from_cfg`` builds, by its local variables."""
    kind, fields = local.get('obj_cls', local.get('obj_type')), local.get('args')
    return f'{getattr(kind, "__name__", kind)} cannot be built from {_plain(fields)}'


def _describe_dataloader(local: dict[str, Any]) -> str:
    """Describe the loader that MMEngine's ``Runner.build_dataloader`` builds."""
    return f'a dataloader cannot be built from {_plain(local.get("dataloader_cfg"))}'


def _describe_weights(local: dict[str, Any]) -> str:
    """Describe the weights that ``init_cfg`` takes by a prefix from a checkpoint."""
    return f'there are no weights by the prefix {local["prefix"]!r} in {local["filename"]!r}'


def _plain(fields: Optional[dict[str, Any]]) -> str:
    """Return the fields of a part that are no parts themselves."""
    plain = (bool, int, float, str, list, tuple, type(None))
    return f'{ ({k: v for k, v in (fields or {}).items() if isinstance(v, plain)})!r:.200}'


_OURS = __name__.partition('.')[0]
_LIBRARIES = {'mmcv', 'mmengine', 'mmpose', 'torch', *sys.stdlib_module_names}
_BUILDERS = dict(
    build_from_cfg=_describe_part,
    build_dataloader=_describe_dataloader,
    _load_checkpoint_with_prefix=_describe_weights,
)
"""Functions of MMEngine that build a part of a config, and what describes the part."""


def check_output_folder(option: str, folder: Union[None, str, Path]) -> None:
    """Check before a long run that its results can be written.

    Args:
        option (str): Name of the option, for the message.
        folder (str | Path, optional): Its value; it is not created. None is not checked.

    Raises:
        ConfigError: If it is a file, or may not be written to.
    """
    if folder is None:
        return
    folder = Path(folder).absolute()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        reason = 'may not be written to' if existing.is_dir() else 'is a file'
        raise ConfigError(
            f'`{option}` should be a folder that can be written, got {str(folder)!r}: '
            f'{str(existing)!r} {reason}; choose another folder'
        )


def _original_message(name: str, message: str) -> str:
    """Return the message without the worker's traceback that PyTorch puts around it."""
    if not message.startswith(f'Caught {name} in '):
        return message
    return message.rpartition(f'{name}: ')[2].strip()
