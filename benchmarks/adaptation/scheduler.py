"""Carries the runs of a benchmark out, several at a time, each in a process of its own."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Callable, Optional

from benchmarks.adaptation.experiment import Run
from benchmarks.adaptation.result_file import LOG, RESULT, RUN, read_result, write_result

WORKER = 'benchmarks.adaptation.worker'
ENVIRONMENT = {
    'OMP_NUM_THREADS': '1',
    'MKL_NUM_THREADS': '1',
    # Large tensors come and go in every step: give their memory back to the system less eagerly.
    'MALLOC_MMAP_THRESHOLD_': str(4 << 30),
    'MALLOC_TRIM_THRESHOLD_': str(16 << 30),
    'MALLOC_TOP_PAD_': str(256 << 20),
}
Report = Callable[[Run, str], None]


def run_all(runs: Sequence[Run], jobs: int, report: Optional[Report] = None) -> None:
    """Carry out what is not finished yet; what fails is recorded and the others go on.

    Args:
        runs (Sequence[Run]): Runs, those that others start from included.
        jobs (int): Processes at a time.
        report (Callable, optional): Called with a run and ``'started'``, ``'finished'`` or
            ``'failed'``. Defaults to None.
    """
    pool = _Pool(jobs, report or (lambda run, state: None))
    try:
        pool.carry_out(runs)
    except BaseException:
        pool.stop()
        raise


class _Pool:
    """Threads that wait for processes."""

    def __init__(self, jobs: int, report: Report) -> None:
        self.executor = ThreadPoolExecutor(max_workers=jobs)
        self.report = report
        self.processes: set[subprocess.Popen] = set()
        self.stopped = threading.Event()

    def carry_out(self, runs: Sequence[Run]) -> None:
        """Start runs once what they start from is there."""
        waiting = list(runs)
        running: dict[Future, Run] = {}
        done: set[int] = set()
        while waiting or running:
            ready = [run for run in waiting if run.source is None or id(run.source) in done]
            for run in ready:
                waiting.remove(run)
                running[self.executor.submit(self._carry_out, run)] = run
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                done.add(id(running.pop(future)))
                future.result()
        self.executor.shutdown()

    def stop(self) -> None:
        """End the processes that run."""
        self.stopped.set()
        for process in list(self.processes):
            process.terminate()
        self.executor.shutdown(cancel_futures=True)

    def _carry_out(self, run: Run) -> None:
        if self.stopped.is_set():
            return
        if not run.finished():
            self.report(run, 'started')
            self._start(run)
        result = run.result() or {}
        self.report(run, result.get('status', 'failed'))

    def _start(self, run: Run) -> None:
        run.folder.mkdir(parents=True, exist_ok=True)
        (run.folder / RESULT).unlink(missing_ok=True)
        if run.source is not None and not run.source.finished():
            error = f'the model it starts from, in {run.source.folder}, was not trained'
            _record_failure(run, error)
            return
        run.config.dump(run.folder / 'config.py')
        write_result(run.folder / RUN, run.settings)
        with (run.folder / LOG).open('w', encoding='utf-8') as log:
            process = subprocess.Popen(
                [sys.executable, '-m', WORKER, str(run.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
            )
            self.processes.add(process)
            status = process.wait()
            self.processes.discard(process)
        if read_result(run.folder / RESULT) is None:
            _record_failure(run, f'its process ended with status {status}; see {run.folder / LOG}')


def _record_failure(run: Run, error: str) -> None:
    write_result(run.folder / RESULT, dict(run.settings, status='failed', error=error))


def _environment() -> dict[str, str]:
    """Return the environment of a worker, which has to find this package where it is now."""
    package_parent = str(Path(__file__).resolve().parents[2])
    paths = [package_parent, *filter(None, [os.environ.get('PYTHONPATH')])]
    return {**os.environ, **ENVIRONMENT, 'PYTHONPATH': os.pathsep.join(paths)}
