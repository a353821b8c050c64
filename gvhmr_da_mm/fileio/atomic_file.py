"""Atomic writing of files."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Union

PathLike = Union[str, Path]
PARTIAL_SUFFIX = '.partial'


@contextmanager
def partial_file(path: PathLike) -> Iterator[Path]:
    """Write a file so that a kill or a full disk leaves the old file unchanged, or none.

    The hidden file that is yielded, in the same folder, replaces the old file in one step at the
    end of the ``with`` block.

    Args:
        path (str | Path): The file; its folder must exist.

    Yields:
        Path: Where to write.

    Raises:
        OSError: If it cannot be written; the old file is unchanged.
    """
    path = Path(path)
    # Machines that share the folder may have processes of the same number.
    unique = f'{os.getpid()}-{secrets.token_hex(4)}'
    partial = path.with_name(f'.{path.name}.{unique}{PARTIAL_SUFFIX}')
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


@contextmanager
def open_atomically(path: PathLike) -> Iterator[BinaryIO]:
    """Open a file for writing as :func:`partial_file` does; it is synced to the disk.

    Yields:
        BinaryIO: The open file.
    """
    with partial_file(path) as partial, open(partial, 'wb') as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_atomically(path: PathLike, content: Union[bytes, str]) -> None:
    """Write the whole content of a file as :func:`open_atomically` does; text becomes UTF-8."""
    with open_atomically(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def remove_partial_files(folder: PathLike) -> list[Path]:
    """Remove partial files of killed processes, in a folder that no process writes to now.

    Args:
        folder (str | Path): The folder; its subfolders are not searched.

    Returns:
        list[Path]: The removed files.
    """
    leftovers = sorted(Path(folder).glob(f'.*{PARTIAL_SUFFIX}'))
    for partial in leftovers:
        partial.unlink(missing_ok=True)
    return leftovers


def _sync_folder(folder: Path) -> None:
    """Sync the entry of the new name to the disk."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows cannot open folders, and does not need the sync.
    try:
        os.fsync(handle)
    except OSError:
        pass  # Not supported by some network file systems; the content is already on the disk.
    finally:
        os.close(handle)
