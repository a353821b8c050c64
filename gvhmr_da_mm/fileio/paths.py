"""Data root and checks that files exist."""

import os
from pathlib import Path
from typing import Optional, Union

from ..core.errors import MissingFilesError

DATA_ROOT_VARIABLE = 'GVHMR_DATA_ROOT'
DEFAULT_DATA_ROOT = 'data'


def resolve_data_root(data_root: Optional[Union[str, Path]] = None) -> Path:
    """Return the data root: the argument, else ``$GVHMR_DATA_ROOT``, else ``data``."""
    return Path(data_root or os.environ.get(DATA_ROOT_VARIABLE) or DEFAULT_DATA_ROOT).expanduser()


def cache_folder() -> Path:
    """Return the folder for files that can be made again, which may not exist yet."""
    return Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser() / 'gvhmr_da_mm'


def require_files(files: dict[Union[str, Path], str], owner: str) -> None:
    """Check that all files exist.

    Args:
        files (dict[str | Path, str]): How to get each file, by its path.
        owner (str): Name of what needs the files, for the message.

    Raises:
        MissingFilesError: One error that lists every missing file.
    """
    missing = {Path(path): hint for path, hint in files.items() if not Path(path).exists()}
    if not missing:
        return
    lines = [f'{owner} needs {len(missing)} file(s) that do not exist:']
    for path, hint in missing.items():
        lines.append(f'  - {path.absolute()}\n      {hint}')
    lines.append(
        f'Set the data root with `--data-root DIR` or the variable {DATA_ROOT_VARIABLE}; '
        'docs/en/data.md shows the layout below it.'
    )
    raise MissingFilesError('\n'.join(lines))
