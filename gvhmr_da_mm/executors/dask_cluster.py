"""Tasks on a cluster of Dask's distributed scheduler."""

import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any, Optional
from uuid import uuid4

import torch

from ..core.errors import ConfigError, GVHMRError, InstallationError

if TYPE_CHECKING:
    from distributed import Client

_MIN_RUNNING = 64
"""Tasks handed out at once at least, so that a cluster that adapts its size sees some waiting."""
_CONNECT_S = 30


def run_on_dask(
    function: Callable[[Any, Any], Any],
    shared: Any,
    tasks: Sequence[Any],
    jobs: int,
    address: str,
    on_killed: Optional[Callable[[Any, GVHMRError], Any]] = None,
) -> Iterator[tuple[Any, Any]]:
    """Run tasks as :func:`~.run_tasks.run_tasks` does.

    A task whose worker is lost runs again on another one, as often as the scheduler's setting
    ``allowed-failures`` says.

    Args:
        function (Callable): See :func:`~.run_tasks.run_tasks`.
        shared (Any): See there.
        tasks (Sequence): See there.
        jobs (int): Workers of a cluster on this machine.
        address (str): Address of another one, or the JSON file of its scheduler; '' for none.
        on_killed (Callable, optional): See there.

    Yields:
        tuple: A task and its result.

    Raises:
        ConfigError: If there is no scheduler at the address, or it was lost.
        InstallationError: If Dask is not installed.
    """
    try:
        from distributed import KilledWorker, as_completed
        from distributed.comm import CommClosedError
    except ImportError as error:
        raise InstallationError(
            '`--executor dask` needs the package `distributed`: pip install distributed'
        ) from error
    with _connect(address, jobs) as client:
        waiting, running = iter(tasks), {}
        # A task of its own, so that it is made again if the worker that holds it is lost.
        work = pickle.dumps((Path.cwd(), function, shared))
        loaded = client.submit(pickle.loads, work, key=f'load-{uuid4()}')
        completed = as_completed(loop=client.loop)

        def fill() -> None:
            try:
                workers = len(client.nthreads())
            except OSError as error:
                raise _lost(address, error) from error
            limit = max(_MIN_RUNNING, 2 * workers)
            for task in islice(waiting, limit - len(running)):
                key = f'{function.__name__.strip("_")}-{uuid4()}'
                # Pickled here, as Dask looks for results of other tasks in the arguments.
                future = client.submit(_run, loaded, pickle.dumps(task), key=key)
                running[key] = (task, future)
                completed.add(future)

        fill()
        for future in completed:
            task, _ = running.pop(future.key)
            try:
                result = future.result()
            except KilledWorker as error:
                lost = ConfigError(
                    'the process that worked on it was killed again and again, most likely because '
                    f'memory ran out: give each worker more ({error})'
                )
                if on_killed is None:
                    raise lost from error
                result = on_killed(task, lost)
            except (CancelledError, CommClosedError) as error:
                raise _lost(address, error) from error
            yield task, result
            fill()


def _lost(address: str, error: Exception) -> ConfigError:
    return ConfigError(
        f'the connection to the Dask scheduler {address} was lost: what is written is kept, run '
        f'the same command again ({error})'
    )


@contextmanager
def _connect(address: str, jobs: int) -> Iterator['Client']:
    from distributed import Client, LocalCluster

    if not address:
        options = dict(dashboard_address=None, memory_limit=0, silence_logs=logging.ERROR)
        with LocalCluster(jobs, threads_per_worker=1, **options) as cluster:
            with Client(cluster) as client:
                yield client
        return
    is_file = address.endswith('.json')
    try:
        if is_file:
            Path(address).open().close()  # Dask would wait for the file.
        place = dict(scheduler_file=address) if is_file else dict(address=address)
        client = Client(timeout=_CONNECT_S, **place)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f'`--executor dask:{address}` should be the address of a running Dask scheduler, or '
            f'the path of its JSON file, but none answers ({error})'
        ) from error
    with client:
        yield client


def _run(work: tuple[Path, Callable, Any], task: bytes) -> Any:
    from distributed import get_worker

    threads = get_worker().state.nthreads
    if threads > 1:
        # Detectors and networks are not made for threads.
        raise ConfigError(
            f'workers of Dask should have one thread each, got {threads}: start them with '
            '`--nthreads 1`, or with one core (`cores=1`) for each process'
        )
    folder, function, shared = work
    try:
        os.chdir(folder)  # Paths may be relative.
    except OSError as error:
        raise ConfigError(
            f'workers of Dask should see the files of the machine that starts the tool, but '
            f'{gethostname()} cannot open {folder} ({error.strerror}): use a shared folder'
        ) from error
    torch.set_num_threads(1)
    return function(shared, pickle.loads(task))
