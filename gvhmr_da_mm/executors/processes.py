"""Tasks in processes of this machine."""

import multiprocessing
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

import torch

from ..core.errors import ConfigError


def run_in_processes(
    function: Callable[[Any, Any], Any], shared: Any, tasks: Sequence[Any], jobs: int
) -> Iterator[tuple[Any, Any]]:
    """Run tasks as :func:`~.run_tasks.run_tasks` does, in ``jobs`` new processes."""
    # A fork could copy locks that threads of torch hold.
    context = multiprocessing.get_context('spawn')
    start = (pickle.dumps((function, shared)),)
    with ProcessPoolExecutor(jobs, context, _start_process, start) as pool:
        waiting = iter(tasks)
        running: dict[Future, Any] = {}
        try:
            while True:
                for task in islice(waiting, 2 * jobs + 1 - len(running)):
                    running[pool.submit(_run, task)] = task
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        except BrokenProcessPool as error:
            raise ConfigError(
                'a process was killed, most likely because memory ran out: run again with '
                'fewer `--jobs`; what is written is kept'
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_work: list[tuple[Callable, Any]] = []
"""Function and shared object of this process."""


def _start_process(work: bytes) -> None:
    torch.set_num_threads(1)
    _work[:] = [pickle.loads(work)]


def _run(task: Any) -> Any:
    function, shared = _work[0]
    return function(shared, task)
