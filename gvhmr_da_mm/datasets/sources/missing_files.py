"""Error for missing files of a download, which reports archives that are not unpacked."""

import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from ...core.errors import MissingFilesError

_ARCHIVE_SUFFIXES = ('.zip', '.tar', '.tar.gz', '.tgz', '.tar.xz')
_PARTIAL_SUFFIXES = ('.part', '.partial', '.crdownload', '.download', '.aria2', '.tmp')
_MAX_LISTED_FILES = 10
_SEARCH_DEPTH = 2


def archive_state(path: Path) -> str:
    """Return the state of an archive and the remedy; '' for other files."""
    name = path.name.lower()
    if name.endswith(_PARTIAL_SUFFIXES):
        return 'is an unfinished download: download it again'
    if not name.endswith(_ARCHIVE_SUFFIXES):
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
        return 'is incomplete or damaged: download it again'
    return 'is not unpacked: unpack it here'


def require_source(paths: Iterable[Path], root: Path, hint: str = '') -> None:
    """Check that files of a download exist.

    Args:
        paths (Iterable[Path]): Required files and folders.
        root (Path): Folder that the user gave; archives in it are reported.
        hint (str): Expected layout of the folder. Defaults to ''.

    Raises:
        MissingFilesError: If some are missing; the message lists them and the archives.
    """
    missing = [path for path in paths if not path.exists()]
    if not missing:
        return
    lines = [f'{root} lacks {len(missing)} file(s) or folder(s):']
    lines += [f'  - {path}' for path in missing[:_MAX_LISTED_FILES]]
    if len(missing) > _MAX_LISTED_FILES:
        lines.append(f'  - and {len(missing) - _MAX_LISTED_FILES} more')
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
    patterns = ['/'.join('*' * depth) for depth in range(1, _SEARCH_DEPTH + 1)]
    found = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
    return [
        path
        for path in found
        if path.name.lower().endswith((*_ARCHIVE_SUFFIXES, *_PARTIAL_SUFFIXES))
    ]
