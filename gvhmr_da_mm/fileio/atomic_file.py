"""Files that are either the old ones or the new ones, never a part."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Union

PathLike = Union[str, Path]
SUFFIX = '.partial'


@contextmanager
def open_atomically(path: PathLike) -> Iterator[BinaryIO]:
    """Open a file so that a kill or a full disk at any moment leaves the old one, or none.

    What is written goes to a hidden file of the same folder, is forced to the disk at the end of
    the ``with`` block, and takes the place of the old file in one step.

    Args:
        path (str | Path): The file; its folder has to exist.

    Yields:
        BinaryIO: The open file, for writing.

    Raises:
        OSError: If it cannot be written; what was there before is unchanged.
    """
    path = Path(path)
    partial = path.with_name(f'.{path.name}.{os.getpid()}{SUFFIX}')
    try:
        with open(partial, 'wb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_atomically(path: PathLike, content: Union[bytes, str]) -> None:
    """Write a file as :func:`open_atomically` does.

    Args:
        path (str | Path): The file; its folder has to exist.
        content (bytes | str): All of it; text becomes UTF-8.

    Raises:
        OSError: If it cannot be written; what was there before is unchanged.
    """
    with open_atomically(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


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
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folders, and needs no such thing.
    try:
        os.fsync(handle)
    except OSError:
        pass  # Some network file systems cannot; the content is on the disk by now.
    finally:
        os.close(handle)
