"""Ways to interrupt a run: when, and how."""

import builtins
import errno
import itertools
import os
import random
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

from mmengine.optim import OptimWrapper

from gvhmr_da_mm.fileio import atomic_file

SIGNALS = ('SIGKILL', 'SIGTERM', 'SIGINT')
MB = 2**20


@dataclass(frozen=True)
class Interruption:
    """One way to interrupt a process.

    Args:
        kind (str): One of :data:`KINDS`.
        signal (str): What ends the process.
        delay (float, optional): Seconds of processor time until the signal, for kinds by time.
        count (int): Which write, or which backward pass, from 1.
        share (float): How much of a file is written by then.
    """

    kind: str
    signal: str = 'SIGKILL'
    delay: Optional[float] = None
    count: int = 1
    share: float = 0.5

    def prepare(self) -> None:
        """Change the process that is to be interrupted, before it trains."""
        prepare = _PREPARATIONS.get(self.kind)
        if prepare is not None:
            prepare(self)

    def end(self) -> None:
        """Send the signal to this process."""
        os.kill(os.getpid(), getattr(signal, self.signal))
        if self.signal == 'SIGKILL':
            time.sleep(60)  # Not one more instruction counts.


def draw(rng: random.Random, start: float, whole: float, steps: int) -> Interruption:
    """Draw an interruption.

    Args:
        rng (random.Random): Source of randomness.
        start (float): Seconds of processor time until a process trains.
        whole (float): The same, of a whole run.
        steps (int): Iterations of a whole run, which has about as many writes.
    """
    kind = rng.choice(tuple(KINDS))
    by_time = kind in ('anywhere', 'full_disk', 'small_files')
    delay = rng.uniform(start, whole) if by_time else rng.uniform(0, start)
    return Interruption(
        kind,
        'SIGKILL' if kind in ('write', 'replace') else rng.choice(SIGNALS),
        delay if by_time or kind == 'start' else None,
        rng.randint(1, steps // 2),
        rng.random(),
    )


KINDS = dict(
    anywhere='at any moment of the training',
    start='while the process starts, or loads the checkpoint',
    first='in the first iteration after that',
    accumulation='between a backward pass and the update',
    write='while a file is being written',
    replace='before, or after, a new file takes the place of the old one',
    full_disk='some time after writes begin to fail for want of space',
    small_files='some time after files may no longer be large (RLIMIT_FSIZE)',
)
"""What is interrupted."""


def _in_backward(interruption: Interruption) -> None:
    """End at some backward pass; with SIGTERM and SIGINT the iteration still has to finish."""
    number = 1 if interruption.kind == 'first' else interruption.count
    counter, original = itertools.count(1), OptimWrapper.backward

    def backward(self: OptimWrapper, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if next(counter) == number:
            interruption.end()

    OptimWrapper.backward = backward


def _in_write(interruption: Interruption) -> None:
    counter = itertools.count(1)
    _on_write(interruption, lambda: next(counter) == interruption.count, interruption.end)


def _disk_is_full(interruption: Interruption) -> None:
    def fail() -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    counter = itertools.count(1)
    _on_write(interruption, lambda: next(counter) >= interruption.count, fail)


def _on_write(
    interruption: Interruption, wanted: Callable[[], bool], act: Callable[[], None]
) -> None:
    """Write a part of some files only, and act then."""

    def open_(path: Any, *args: Any, **kwargs: Any) -> Any:
        file = builtins.open(path, *args, **kwargs)
        if wanted():
            file = _PartialFile(file, interruption.share, act)
        return file

    atomic_file.open = open_


class _PartialFile:
    """A file that takes a part of what is written to it."""

    def __init__(self, file: Any, share: float, act: Callable[[], None]) -> None:
        self._file, self._share, self._act = file, share, act

    def __enter__(self) -> '_PartialFile':
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def write(self, content: bytes) -> None:
        self._file.write(content[: int(len(content) * self._share)])
        self._file.flush()
        self._act()


def _around_replace(interruption: Interruption) -> None:
    counter, original = itertools.count(1), os.replace

    def replace(*args: Any, **kwargs: Any) -> None:
        now = next(counter) == interruption.count
        if now and interruption.share < 0.5:
            interruption.end()
        original(*args, **kwargs)
        if now:
            interruption.end()

    os.replace = replace


def _small_files(interruption: Interruption) -> None:
    # Too small for a checkpoint, large enough for logs.
    limit = int(MB / 4 * (1 + interruption.share))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


_PREPARATIONS = dict(
    first=_in_backward,
    accumulation=_in_backward,
    write=_in_write,
    replace=_around_replace,
    full_disk=_disk_is_full,
    small_files=_small_files,
)
