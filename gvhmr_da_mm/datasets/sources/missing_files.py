"""What to say where files of a download are missing: perhaps it is not unpacked, or not whole."""

import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from ...core.errors import MissingFilesError

_ARCHIVES = ('.zip', '.tar', '.tar.gz', '.tgz', '.tar.xz')
_PARTIAL = ('.part', '.partial', '.crdownload', '.download', '.aria2', '.tmp')
_MAX_LISTED = 10
_DEPTH = 2


def archive_state(path: Path) -> str:
    """Return '' for what is no archive, else what to do with it: unpack, or download again."""
    name = path.name.lower()
    if name.endswith(_PARTIAL):
        return 'is a download that has not come to its end: download it again'
    if not name.endswith(_ARCHIVES):
        return ''
    try:
        # A zip file has its table of contents at the end; a tar file is read to its end.
        if name.endswith('.zip'):
            with zipfile.ZipFile(path):
                pass
        else:
            with tarfile.open(path) as archive:
                for _ in archive:
                    pass
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError):
        return 'is half downloaded or damaged: download it again'
    return 'is not unpacked: unpack it here'


def require_source(paths: Iterable[Path], root: Path, hint: str = '') -> None:
    """Check that files of a download are there.

    Args:
        paths (Iterable[Path]): What is needed.
        root (Path): The folder that the user gave; archives in it explain what is missing.
        hint (str): What the folder should look like. Defaults to ''.

    Raises:
        MissingFilesError: One error for all of them, with what their archives are like.
    """
    missing = [path for path in paths if not path.exists()]
    if not missing:
        return
    lines = [f'{root} lacks {len(missing)} file(s) or folder(s):']
    lines += [f'  - {path}' for path in missing[:_MAX_LISTED]]
    if len(missing) > _MAX_LISTED:
        lines.append(f'  - and {len(missing) - _MAX_LISTED} more')
    states = ((path, archive_state(path)) for path in _archives(root))
    lines += [f'{path} {state}' for path, state in states if state]
    if hint:
        lines.append(hint)
    raise MissingFilesError('\n'.join(lines))


def _archives(root: Path) -> list[Path]:
    """Return files near the root or, if it does not exist, beside it."""
    folder = root if root.is_dir() else root.parent
    if not folder.is_dir():
        return []
    patterns = ['/'.join('*' * depth) for depth in range(1, _DEPTH + 1)]
    found = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
    return [path for path in found if path.name.lower().endswith((*_ARCHIVES, *_PARTIAL))]
