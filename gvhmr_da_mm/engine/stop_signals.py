"""Handling of SIGTERM and SIGINT as requests to stop after the iteration."""

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
"""Exit code of a stopped run that can be resumed: EX_TEMPFAIL of sysexits.h, "try again"."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Context manager that records a signal to stop; a second SIGINT raises at once.

    Does nothing outside the main thread, where Python allows no handlers.
    """

    def __init__(self) -> None:
        self.received: Optional[signal.Signals] = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> 'StopSignals':
        """Install the handlers."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._record) for number in STOP_SIGNALS}
        return self

    def __exit__(self, *_: Any) -> None:
        """Restore the previous handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _record(self, number: int, frame: Any) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        if self.received is None:
            name = signal.Signals(number).name
            # Not by the logger, whose lock the interrupted code may hold.
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
    """Make workers of a loader ignore signals to stop that do not come from the main process.

    Terminals and schedulers send them to every process, but the main process needs its workers to
    finish the iteration. Workers end when it asks them to, by SIGTERM if necessary, or when it is
    gone. Where signals have no sender (not Linux), SIGTERM always ends workers.

    Args:
        loader (DataLoader): Changed in place, before its workers start.
    """
    loader.worker_init_fn = functools.partial(_start_shielded, loader.worker_init_fn)


def _start_shielded(start: Optional[Callable[[int], None]], worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):
        # With SIGTERM ignored, the main process would wait for ever when it ends.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_with_parent, daemon=True).start()
    if start is not None:
        start(worker)


def _end_with_parent() -> None:
    parent = parent_process().pid
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
