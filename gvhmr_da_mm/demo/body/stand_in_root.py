"""Data root with the stand-in body alone, for those who have no SMPL-X."""

import hashlib
import os
import shutil
from pathlib import Path

from gvhmr_da_mm.fileio.paths import cache_folder

from .mannequin_mesh import find_mannequin
from .stand_in_body import StandInBody, write_body_models


def stand_in_root() -> Path:
    """Return a data root with the stand-in body, written to the user's cache at the first call.

    Raises:
        MissingFilesError: If the mannequin package is not installed.
    """
    root = cache_folder() / f'stand_in_body-{_digest()}'
    if root.is_dir():
        return root
    partial = root.with_name(f'.{root.name}.partial-{os.getpid()}')
    try:
        write_body_models(StandInBody(), partial)
        if not root.is_dir():  # Unless another process was faster.
            partial.rename(root)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return root


def _digest() -> str:
    """Return a digest of what the files are made by and of."""
    files = [*sorted(Path(__file__).parent.glob('*.py')), find_mannequin()]
    return hashlib.sha256(b''.join(path.read_bytes() for path in files)).hexdigest()[:12]
