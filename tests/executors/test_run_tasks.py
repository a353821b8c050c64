"""Where tasks run: results, errors, killed processes, and options that are refused."""

import json
import logging
import os
import signal
import time
from concurrent.futures import CancelledError
from importlib.util import find_spec

import pytest

from gvhmr_da_mm.core.errors import ConfigError, DataError, InstallationError
from gvhmr_da_mm.executors import check_executor, dask_cluster, run_tasks

needs_dask = pytest.mark.skipif(
    find_spec('distributed') is None, reason='distributed is not installed'
)
EXECUTORS = ['processes', pytest.param('dask', marks=needs_dask)]


class Counter:
    """Shared object that counts how often it was made in this process."""

    made = 0

    def __init__(self, offset):
        self.offset = offset

    def __setstate__(self, state):
        type(self).made += 1
        self.__dict__ = state


def add(counter, number):
    return counter.offset + number, os.getpid(), Counter.made


def fail_at_three(_, number):
    if number == 3:
        raise DataError('the third is bad')
    return number


def kill_once(folder, number):
    """Kill the process in the midst of a task, the first time that this task runs."""
    with (folder / f'{number}').open('a') as file:
        file.write('started\n')
    if number == 2 and (folder / '2').read_text().count('started') == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return number


def wait(_, number):
    time.sleep(0.2)
    return number


def kill_always(_, number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.fixture(scope='module')
def cluster():
    """Return a running cluster with two workers, which are started again when they are killed."""
    distributed = pytest.importorskip('distributed', reason='distributed is not installed')
    options = dict(dashboard_address=None, memory_limit=0, silence_logs=logging.ERROR)
    with distributed.LocalCluster(2, threads_per_worker=1, **options) as running:
        yield running


@pytest.fixture
def address(cluster):
    """Return the name of the running cluster as an executor."""
    return f'dask:{cluster.scheduler_address}'


@pytest.mark.parametrize('executor', EXECUTORS)
def test_each_task_has_its_result_and_what_is_shared_is_sent_once(executor):
    found = dict(run_tasks(add, Counter(100), range(20), jobs=2, executor=executor))
    assert {task: result for task, (result, _, _) in found.items()} == {
        n: 100 + n for n in range(20)
    }
    processes = {process for _, process, _ in found.values()}
    assert len(processes) <= 2 and os.getpid() not in processes
    assert {made for _, _, made in found.values()} == {1}


def test_one_job_is_this_process():
    (found,) = dict(run_tasks(add, Counter(1), [5])).values()
    assert found == (6, os.getpid(), 0)


def test_an_error_ends_the_run():
    with pytest.raises(DataError, match='the third is bad'):
        list(run_tasks(fail_at_three, None, range(9), jobs=2))


def test_an_error_ends_the_run_on_a_cluster(address):
    with pytest.raises(DataError, match='the third is bad'):
        list(run_tasks(fail_at_three, None, range(9), executor=address))


def test_a_killed_process_ends_the_run_of_processes(tmp_path):
    with pytest.raises(ConfigError, match='fewer `--jobs`'):
        list(run_tasks(kill_once, tmp_path, range(9), jobs=2))


def test_a_running_cluster_is_used_by_address_or_file(cluster, tmp_path):
    from distributed import Client

    with Client(cluster) as client:
        client.wait_for_workers(2, timeout=60)
        # As a scheduler writes it with `--scheduler-file`. Dask's own function fails at random on a
        # cluster that has worked, whose measurements have keys that JSON has not.
        identity = dict(type='Scheduler', address=cluster.scheduler_address)
        (tmp_path / 'scheduler.json').write_text(json.dumps(identity))
        for address in (cluster.scheduler_address, tmp_path / 'scheduler.json'):
            found = dict(run_tasks(add, Counter(0), range(5), executor=f'dask:{address}'))
            assert [found[n][0] for n in range(5)] == list(range(5))
        # It is still there for others.
        assert len(client.nthreads()) == 2


@pytest.mark.parametrize('error', ['connection', 'task'])
def test_a_scheduler_that_is_lost_ends_the_run(address, monkeypatch, error):
    from distributed import Client, Future
    from distributed.comm import CommClosedError

    results = run_tasks(wait, None, range(99), executor=address)
    next(results)

    def lost(*args):
        raise CommClosedError('closed') if error == 'connection' else CancelledError('lost')

    place = (Future, 'result') if error == 'task' else (Client, 'nthreads')
    monkeypatch.setattr(*place, lost)
    with pytest.raises(ConfigError, match='was lost: what is written is kept'):
        list(results)


@needs_dask
def test_workers_with_several_threads_are_refused():
    from distributed import LocalCluster

    options = dict(threads_per_worker=2, processes=False, dashboard_address=None)
    with LocalCluster(1, **options) as cluster:
        with pytest.raises(ConfigError, match='one thread each, got 2'):
            list(run_tasks(add, Counter(0), range(2), executor=f'dask:{cluster.scheduler_address}'))


# These last, so that nobody waits for the workers that are started anew.
def test_a_task_whose_worker_was_killed_runs_again(address, tmp_path):
    found = dict(run_tasks(kill_once, tmp_path, range(9), executor=address))
    assert found == {n: n for n in range(9)}
    assert (tmp_path / '2').read_text().count('started') == 2


@pytest.mark.parametrize('replaced', [True, False])
def test_a_task_that_kills_its_workers_again_and_again_is_given_up(
    cluster, address, replaced, monkeypatch
):
    # As its setting `distributed.scheduler.allowed-failures` says when it starts.
    monkeypatch.setattr(cluster.scheduler, 'allowed_failures', 0)

    def run(**options):
        return dict(run_tasks(kill_always, None, range(4), executor=address, **options))

    if replaced:
        found = run(on_killed=lambda task, error: str(error))
        # Others may have waited on the same worker.
        assert set(found) == set(range(4)) and 'killed again and again' in found[2]
    else:
        with pytest.raises(ConfigError, match='killed again and again'):
            run()


@pytest.mark.parametrize(
    'executor, jobs, message',
    [
        ('threads', 1, "got 'threads'"),
        ('processes:2', 1, "got 'processes:2'"),
        ('dask:', 1, "got 'dask:'"),
        ('dask:tcp://10.0.0.1:8786', 4, 'leave it out'),
        ('processes', 0, 'at least 1'),
    ],
)
def test_odd_options_are_named(executor, jobs, message):
    with pytest.raises(ConfigError, match=message):
        check_executor(executor, jobs)


@needs_dask
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(dask_cluster, '_CONNECT_S', 0.5)
    for address in ('tcp://127.0.0.1:1', f'{tmp_path}/scheduler.json', 'nonsense'):
        with pytest.raises(ConfigError, match='none answers'):
            list(run_tasks(add, Counter(0), range(2), executor=f'dask:{address}'))


def test_without_dask_the_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'distributed', None)
    with pytest.raises(InstallationError, match='pip install distributed'):
        list(run_tasks(add, Counter(0), range(2), executor='dask'))
