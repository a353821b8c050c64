"""SIGTERM and SIGINT as requests to stop when it is safe."""

import functools
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import parent_process
from typing import Any, Optional

from mmengine.dist import all_reduce, get_world_size
from torch import tensor
from torch.utils.data import DataLoader

EXIT_RESUMABLE = 75
"""Exit code of a run that was stopped and can go on: EX_TEMPFAIL of sysexits.h, "try again"."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Remember a signal to stop instead of dying of it; a second SIGINT raises at once.

    A context manager. Outside the main thread, where Python allows no handlers, it does nothing.
    """

    def __init__(self) -> None:
        self.received: Optional[signal.Signals] = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> 'StopSignals':
        """Take over the signals."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._remember) for number in SIGNALS}
        return self

    def __exit__(self, *_: Any) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _remember(self, number: int, frame: Any) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received is None:
            name = signal.Signals(number).name
            # Not by the logger, which may be in the middle of a line.
            text = f'\n{name}: saving after this iteration, then stopping; Ctrl-C stops at once.\n'
            os.write(2, text.encode())
        self.received = signal.Signals(number)

    def any_rank(self) -> bool:
        """Return whether any rank was asked to stop; all ranks have to call this together."""
        asked = self.received is not None
        if get_world_size() == 1:
            return asked
        flag = tensor(int(asked))
        all_reduce(flag, op='max')
        return bool(flag)


def shield_workers(loader: DataLoader) -> None:
    """Have workers of a loader leave signals that reach every process to the main process.

    Without its workers it could not finish the iteration. They end when it tells them to, by
    SIGTERM if nothing else helps, or when it is gone. Where signals do not tell who sent them (not
    Linux) SIGTERM always ends workers.

    Args:
        loader (DataLoader): Changed in place, before its workers start.
    """
    loader.worker_init_fn = functools.partial(_start_shielded, loader.worker_init_fn)


def _start_shielded(start: Optional[Callable[[int], None]], worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):
        # Ignoring SIGTERM altogether would keep the main process waiting for ever at its end.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(worker)


def _end_with_parent() -> None:
    parent = parent_process().pid
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
