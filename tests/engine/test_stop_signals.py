import multiprocessing
import os
import signal
import threading

import pytest
from torch.utils.data import DataLoader

from gvhmr_da_mm.engine.stop_signals import StopSignals, shield_workers


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_remembered(number, capfd):
    with StopSignals() as signals:
        assert not signals.any_rank()
        os.kill(os.getpid(), number)
        assert signals.any_rank() and signals.received == number
    assert number.name in capfd.readouterr().err


def test_a_second_interrupt_raises_at_once():
    with pytest.raises(KeyboardInterrupt), StopSignals():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_schedulers_may_repeat_themselves():
    with StopSignals() as signals:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert signals.received == signal.SIGTERM


def test_handlers_are_given_back():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(ValueError), StopSignals():
        assert signal.getsignal(signal.SIGTERM) != before[0]
        raise ValueError
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_other_threads_leave_signals_alone():
    seen = []

    def work():
        with StopSignals() as signals:
            seen.append(signals.any_rank())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


class Signalled:
    """A dataset whose worker gets what is sent to every process of a terminal or a job."""

    def __init__(self, number):
        self.number = number

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 1:
            os.kill(os.getpid(), self.number)
        return index


tells_sender = pytest.mark.skipif(
    not hasattr(signal, 'sigwaitinfo'), reason='signals do not tell who sent them'
)


@pytest.mark.parametrize(
    'number', [signal.SIGINT, pytest.param(signal.SIGTERM, marks=tells_sender)]
)
def test_workers_go_on_when_all_processes_are_signalled(number):
    loader = DataLoader(Signalled(number), num_workers=1)
    shield_workers(loader)
    assert [int(batch) for batch in loader] == [0, 1, 2, 3]


def test_workers_start_as_they_did():
    started = []
    loader = DataLoader(range(2), num_workers=1, worker_init_fn=started.append)
    shield_workers(loader)
    assert [int(batch) for batch in loader] == [0, 1]
    loader.worker_init_fn.args[0](7)
    assert started == [7]


def test_workers_end_when_the_main_process_says_so():
    loader = DataLoader(range(2), num_workers=1, persistent_workers=True)
    shield_workers(loader)
    assert [int(batch) for batch in loader] == [0, 1]
    (worker,) = multiprocessing.active_children()
    assert worker.is_alive()
    worker.terminate()
    worker.join(60)
    assert not worker.is_alive()
