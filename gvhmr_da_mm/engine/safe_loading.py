"""Loading of checkpoints by MMEngine, without executing code from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier, get_dist_info
from mmengine.runner import CheckpointLoader

from ..core.errors import CheckpointError
from ..models.checkpoint_reading import read_checkpoint

WEB_PREFIXES = ('http://', 'https://')


def load_from_restricted_pickle(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Load a checkpoint as :class:`mmengine.runner.CheckpointLoader` does, from a file or the web.

    Args:
        filename (str): A path or a web address.
        map_location (Any): As for :func:`torch.load`. Defaults to None, the CPU.

    Returns:
        dict[str, Any]: The content, with MMEngine's histories.

    Raises:
        MissingFilesError: If there is no such file.
        CheckpointError: If loading would execute code, or its scheme is neither http nor https.
    """
    if filename.startswith(WEB_PREFIXES):
        path = _download(filename)
    elif '://' in filename:
        raise CheckpointError(
            f'{filename!r} should be a path or an address with http or https: loaders of other '
            'schemes execute code from the files. Download it and pass the path'
        )
    else:
        path = Path(filename).expanduser()
    checkpoint = read_checkpoint(path, 'cpu' if map_location is None else map_location, mmap=False)
    checkpoint.require_plain()
    return checkpoint.content


@contextmanager
def safe_checkpoint_loading() -> Iterator[None]:
    """Replace all of MMEngine's loaders by :func:`load_from_restricted_pickle`.

    MMEngine itself allows ``getattr`` in checkpoints, and loads any pickle where that fails.
    """
    before = dict(CheckpointLoader._schemes)
    CheckpointLoader.register_scheme(list(before), load_from_restricted_pickle, force=True)
    try:
        yield
    finally:
        for prefix, loader in before.items():
            CheckpointLoader.register_scheme(prefix, loader, force=True)


def _download(address: str) -> Path:
    """Return the cached file of an address; the first process downloads it if it is missing."""
    name = Path(urlparse(address).path).name
    path = Path(torch.hub.get_dir()) / 'checkpoints' / name
    if get_dist_info()[0] == 0 and not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(address, str(path), progress=False)
    barrier()
    return path
