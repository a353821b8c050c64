"""Choice of where tasks run."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Optional, TypeVar

from ..core.checks import check_at_least
from ..core.errors import ConfigError, GVHMRError
from .dask_cluster import run_on_dask
from .processes import run_in_processes

Task = TypeVar('Task')
Result = TypeVar('Result')
PROCESSES, DASK = 'processes', 'dask'


def run_tasks(
    function: Callable[[Any, Task], Result],
    shared: Any,
    tasks: Sequence[Task],
    jobs: int = 1,
    executor: str = PROCESSES,
    on_killed: Optional[Callable[[Task, GVHMRError], Result]] = None,
) -> Iterator[tuple[Task, Result]]:
    """Call a function for each task and yield the results in the order in which they are ready.

    Only some tasks are handed out at once, so that results do not pile up and an error stops the
    work. A process computes with one thread.

    Args:
        function (Callable): Called with ``shared`` and a task; it must be importable by name.
        shared (Any): What all tasks use; it is pickled once for each process.
        tasks (Sequence): The tasks.
        jobs (int): Processes. Defaults to 1: with ``processes`` this one.
        executor (str): As for :func:`check_executor`. Defaults to ``processes``.
        on_killed (Callable, optional): Returns the result of a task which Dask gives up because it
            killed several processes. Defaults to None: that is an error.

    Yields:
        tuple: A task and its result.

    Raises:
        ConfigError: If an option is invalid, a process was killed, or the cluster was lost.
        InstallationError: If Dask is asked for and not installed.
    """
    check_executor(executor, jobs)
    name, _, address = executor.partition(':')
    if not tasks:
        return
    if name == DASK:
        yield from run_on_dask(function, shared, tasks, jobs, address, on_killed)
    elif jobs == 1 or len(tasks) < 2:
        yield from ((task, function(shared, task)) for task in tasks)
    else:
        yield from run_in_processes(function, shared, tasks, jobs)


def check_executor(executor: str, jobs: int = 1) -> None:
    """Check the options of :func:`run_tasks` before anything is planned.

    Args:
        executor (str): ``processes`` of this machine; ``dask``, a cluster on this machine; or
            ``dask:ADDRESS``, a running cluster, where the address is that of its scheduler or the
            path of its JSON file.
        jobs (int): Processes. Defaults to 1.

    Raises:
        ConfigError: If one is invalid.
    """
    check_at_least(1, jobs=jobs)
    name, colon, address = executor.partition(':')
    if name not in (PROCESSES, DASK) or (colon and (name == PROCESSES or not address)):
        raise ConfigError(
            '`--executor` should be processes, dask, or dask:ADDRESS such as '
            f'dask:tcp://10.0.0.1:8786 or dask:scheduler.json, got {executor!r}'
        )
    if address and jobs > 1:
        raise ConfigError(
            f'`--jobs {jobs}` is for processes of this machine: the cluster at {address} has '
            'workers of its own, leave it out'
        )
