"""Files that are either the old ones or the new ones, never a part."""

import os
from pathlib import Path
from typing import Union

PathLike = Union[str, Path]
SUFFIX = '.partial'


def write_atomically(path: PathLike, content: bytes) -> None:
    """Write a file so that a kill or a full disk at any moment leaves the old one, or none.

    The content goes to a hidden file of the same folder, is forced to the disk, and takes the
    place of the old file in one step.

    Args:
        path (str | Path): The file; its folder has to exist.
        content (bytes): All of it.

    Raises:
        OSError: If it cannot be written; what was there before is unchanged.
    """
    path = Path(path)
    partial = path.with_name(f'.{path.name}.{os.getpid()}{SUFFIX}')
    try:
        with open(partial, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def remove_partial_files(folder: PathLike) -> list[Path]:
    """Remove what killed processes were writing; only for a folder that nobody writes to now.

    Args:
        folder (str | Path): Where to look, not below it.

    Returns:
        list[Path]: The files that are gone.
    """
    leftovers = sorted(Path(folder).glob(f'.*{SUFFIX}'))
    for partial in leftovers:
        partial.unlink(missing_ok=True)
    return leftovers


def _sync_folder(folder: Path) -> None:
    """Force the new name to the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        pass  # Some network file systems cannot; the content is on the disk by now.
    finally:
        os.close(handle)
