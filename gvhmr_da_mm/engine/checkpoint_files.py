"""Finding the checkpoint to go on from, whatever happened to the last one."""

import logging
import re
import zipfile
from pathlib import Path
from typing import Optional, Union

from mmengine.logging import print_log

from ..core.errors import CheckpointError

PathLike = Union[str, Path]
POINTER = 'last_checkpoint'
ROLLING = 'rolling.pth'
"""The checkpoint that replaces itself: saved every few iterations, and when a run is stopped."""
_OF_TRAINING = re.compile(r'(epoch_\d+|iter_\d+|rolling)\.pth')


def find_last_checkpoint(work_dir: PathLike) -> Optional[str]:
    """Return the last checkpoint of a run that is complete.

    It is the one that the file ``last_checkpoint`` names. If that one is damaged or gone, which is
    logged, the latest ``epoch_*.pth``, ``iter_*.pth`` or ``rolling.pth`` that is complete. Files of
    the work dir win: in a copied one ``last_checkpoint`` names the file of the other run, and the
    one of the same name is taken. Only a work dir without checkpoints has them elsewhere.

    Args:
        work_dir (str | Path): The folder of the run.

    Returns:
        str | None: The file; None if the run has never saved one.

    Raises:
        CheckpointError: If there were checkpoints and none of them is complete.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / POINTER
    named = _read_pointer(pointer)
    problems = [] if named or not pointer.exists() else [f'{pointer} names no file']
    own = checkpoints_in(work_dir)
    if named is not None and own:
        named = work_dir / named.name
    others = own if own or named is None else checkpoints_in(named.parent)
    candidates = [*filter(None, [named]), *(file for file in others if file != named)]
    for path in candidates:
        problem = what_is_wrong(path)
        if problem is None:
            if problems:
                print_log(
                    f'The last checkpoint is of no use ({"; ".join(problems)}): going on from '
                    f'{path} instead.',
                    'current',
                    level=logging.WARNING,
                )
            return str(path)
        problems.append(problem)
    if problems:
        raise CheckpointError(
            f'no checkpoint in {work_dir} can be gone on from: {"; ".join(problems)}. Pass one '
            f'with `--resume FILE`, or remove {pointer} and these files to start over'
        )
    return None


def checkpoints_in(folder: PathLike) -> list[Path]:
    """Return the checkpoints of a training that a folder holds, the latest first."""
    found = [path for path in Path(folder).glob('*.pth') if _OF_TRAINING.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def what_is_wrong(path: PathLike) -> Optional[str]:
    """Return why a checkpoint cannot be read, or None; all of the file is read for that.

    Args:
        path (str | Path): A file of :func:`torch.save`, whose parts carry checksums.
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
