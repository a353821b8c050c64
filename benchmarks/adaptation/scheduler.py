"""Scheduler of the runs of a benchmark, several at a time, each in its own process."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Callable, Optional

from benchmarks.adaptation.experiment import Run
from benchmarks.adaptation.result_file import (
    LOG_FILE,
    RESULT_FILE,
    RUN_FILE,
    read_result,
    write_result,
)

WORKER_MODULE = 'benchmarks.adaptation.worker'
WORKER_ENVIRONMENT = {
    'OMP_NUM_THREADS': '1',
    'MKL_NUM_THREADS': '1',
    # Every step allocates large tensors: keep their memory instead of returning it to the system.
    'MALLOC_MMAP_THRESHOLD_': str(4 << 30),
    'MALLOC_TRIM_THRESHOLD_': str(16 << 30),
    'MALLOC_TOP_PAD_': str(256 << 20),
}
Report = Callable[[Run, str], None]


def run_all(runs: Sequence[Run], jobs: int, report: Optional[Report] = None) -> None:
    """Execute the runs that are not finished; failures are recorded, and the others continue.

    Args:
        runs (Sequence[Run]): Runs, including those that others start from.
        jobs (int): Processes at a time.
        report (Callable, optional): Called with a run and ``'started'``, ``'finished'`` or
            ``'failed'``. Defaults to None.
    """
    pool = _Pool(jobs, report or (lambda run, state: None))
    try:
        pool.execute(runs)
    except BaseException:
        pool.stop()
        raise


class _Pool:
    """Pool of threads, each of which waits for one process."""

    def __init__(self, jobs: int, report: Report) -> None:
        self.executor = ThreadPoolExecutor(max_workers=jobs)
        self.report = report
        self.processes: set[subprocess.Popen] = set()
        self.stopped = threading.Event()

    def execute(self, runs: Sequence[Run]) -> None:
        """Start each run when the run that it starts from is done."""
        waiting = list(runs)
        running: dict[Future, Run] = {}
        done: set[int] = set()
        while waiting or running:
            ready = [run for run in waiting if run.source is None or id(run.source) in done]
            for run in ready:
                waiting.remove(run)
                running[self.executor.submit(self._execute, run)] = run
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                done.add(id(running.pop(future)))
                future.result()
        self.executor.shutdown()

    def stop(self) -> None:
        """Terminate the running processes."""
        self.stopped.set()
        for process in list(self.processes):
            process.terminate()
        self.executor.shutdown(cancel_futures=True)

    def _execute(self, run: Run) -> None:
        if self.stopped.is_set():
            return
        if not run.finished():
            self.report(run, 'started')
            self._start(run)
        result = run.result() or {}
        self.report(run, result.get('status', 'failed'))

    def _start(self, run: Run) -> None:
        run.folder.mkdir(parents=True, exist_ok=True)
        (run.folder / RESULT_FILE).unlink(missing_ok=True)
        if run.source is not None and not run.source.finished():
            error = f'the model it starts from, in {run.source.folder}, was not trained'
            _record_failure(run, error)
            return
        run.config.dump(run.folder / 'config.py')
        write_result(run.folder / RUN_FILE, run.settings)
        with (run.folder / LOG_FILE).open('w', encoding='utf-8') as log:
            process = subprocess.Popen(
                [sys.executable, '-m', WORKER_MODULE, str(run.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
            )
            self.processes.add(process)
            status = process.wait()
            self.processes.discard(process)
        if read_result(run.folder / RESULT_FILE) is None:
            log_path = run.folder / LOG_FILE
            _record_failure(run, f'its process ended with status {status}; see {log_path}')


def _record_failure(run: Run, error: str) -> None:
    write_result(run.folder / RESULT_FILE, dict(run.settings, status='failed', error=error))


def _environment() -> dict[str, str]:
    """Return the environment of a worker, in which this package can be imported."""
    package_parent = str(Path(__file__).resolve().parents[2])
    paths = [package_parent, *filter(None, [os.environ.get('PYTHONPATH')])]
    return {**os.environ, **WORKER_ENVIRONMENT, 'PYTHONPATH': os.pathsep.join(paths)}
