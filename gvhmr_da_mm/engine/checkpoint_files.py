"""Search for the last complete checkpoint of a run."""

import logging
import re
import zipfile
from pathlib import Path
from typing import Optional, Union

from mmengine.logging import print_log

from ..core.errors import CheckpointError

PathLike = Union[str, Path]
POINTER_FILE = 'last_checkpoint'
ROLLING_FILE = 'rolling.pth'
"""The checkpoint that is overwritten regularly, and saved when a run is stopped."""
_CHECKPOINT_NAME = re.compile(r'(epoch_\d+|iter_\d+|rolling)\.pth')


def find_last_checkpoint(work_dir: PathLike) -> Optional[str]:
    """Return the last complete checkpoint of a run.

    This is the file that ``last_checkpoint`` names. If it is damaged or missing, which is logged,
    it is the latest complete ``epoch_*.pth``, ``iter_*.pth`` or ``rolling.pth``. The folder of the
    named file is used only if the work dir has no checkpoints: in a copied work dir
    ``last_checkpoint`` names a file of the original run.

    Args:
        work_dir (str | Path): The folder of the run.

    Returns:
        str | None: The file; None if the run has never saved one.

    Raises:
        CheckpointError: If there are checkpoints and none is complete.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / POINTER_FILE
    named = _read_pointer(pointer)
    problems = [] if named or not pointer.exists() else [f'{pointer} names no file']
    own = checkpoints_in(work_dir)
    if named is not None and own:
        named = work_dir / named.name
    others = own if own or named is None else checkpoints_in(named.parent)
    candidates = [*filter(None, [named]), *(file for file in others if file != named)]
    for path in candidates:
        problem = checkpoint_problem(path)
        if problem is None:
            if problems:
                print_log(
                    f'The last checkpoint cannot be used ({"; ".join(problems)}): resuming from '
                    f'{path} instead.',
                    'current',
                    level=logging.WARNING,
                )
            return str(path)
        problems.append(problem)
    if problems:
        raise CheckpointError(
            f'no checkpoint in {work_dir} can be resumed from: {"; ".join(problems)}. Pass one '
            f'with `--resume FILE`, or remove {pointer} and these files to start over'
        )
    return None


def checkpoints_in(folder: PathLike) -> list[Path]:
    """Return the checkpoints of a run in a folder, the latest first."""
    found = [path for path in Path(folder).glob('*.pth') if _CHECKPOINT_NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def checkpoint_problem(path: PathLike) -> Optional[str]:
    """Return why a checkpoint cannot be read, or None; reads the whole file.

    Args:
        path (str | Path): A file of :func:`torch.save`, whose parts have checksums.
    """
    if not Path(path).is_file():
        return f'{path} does not exist'
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        return f'{path} is not complete ({error})'
    return f'{path} is damaged (in {damaged})' if damaged else None


def _read_pointer(pointer: Path) -> Optional[Path]:
    if not pointer.is_file():
        return None
    text = pointer.read_text(encoding='utf-8', errors='replace').strip().strip('\0')
    return Path(text) if text else None
