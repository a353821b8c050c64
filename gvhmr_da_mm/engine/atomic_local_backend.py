"""MMEngine's local file backend with atomic writes."""

import os
from pathlib import Path
from typing import Union

from mmengine.fileio import LocalBackend, register_backend

from ..fileio.atomic_file import write_atomically

PathLike = Union[str, Path]
ATOMIC_BACKEND = 'gvhmr_da_mm.atomic'
"""Name in ``backend_args``."""


@register_backend(ATOMIC_BACKEND, force=True)
class AtomicLocalBackend(LocalBackend):
    """Write files of the local file system atomically.

    As ``backend_args=dict(backend='gvhmr_da_mm.atomic')`` wherever MMEngine writes files.
    """

    def put(self, obj: bytes, filepath: PathLike) -> None:
        """Write bytes to a file; its folder is created."""
        os.makedirs(os.path.dirname(filepath) or '.', exist_ok=True)
        write_atomically(filepath, obj)

    def put_text(self, obj: str, filepath: PathLike, encoding: str = 'utf-8') -> None:
        """Write text to a file; its folder is created."""
        self.put(obj.encode(encoding), filepath)


class LateRemovalBackend(AtomicLocalBackend):
    """Delay the removal of files until their successor is on the disk."""

    def __init__(self) -> None:
        self._outdated: list[str] = []

    def remove(self, filepath: PathLike) -> None:
        """Mark a file for removal."""
        self._outdated.append(str(filepath))

    def remove_outdated(self) -> None:
        """Remove the marked files."""
        for path in self._outdated:
            Path(path).unlink(missing_ok=True)
        self.keep_outdated()

    def keep_outdated(self) -> None:
        """Unmark all files."""
        self._outdated.clear()
