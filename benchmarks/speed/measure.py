"""Timing and peak memory of one case, each in a process of its own.

The parent process never computes anything: a process that has started OpenMP threads cannot be
forked safely, and what one case leaves in memory would count for the next.
"""

import ctypes
import gc
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any, Optional

import torch

from benchmarks.speed.case import Case, Pair, Settings
from gvhmr_da_mm.core.errors import DataError

MIB = 2**20
LONG_S = 5.0


def measure(case: Case, settings: Settings, threads: int, repeats: int) -> dict[str, Any]:
    """Measure a case.

    Args:
        case (Case): What to measure.
        settings (Settings): How it is built.
        threads (int): CPU threads.
        repeats (int): Timings of each way.

    Returns:
        dict: A row: ``case``, ``ours_s``, ``plain_s``, ``ratio``, ``ours_mb``, ``plain_mb``,
        ``device`` and, where a number is missing, ``note`` with the reason.
    """
    row = dict.fromkeys(('ours_s', 'plain_s', 'ratio', 'ours_mb', 'plain_mb'))
    row = dict(case=case.name, **row, device=settings.device)
    times, note = _in_child(_time_pair, case, settings, threads, repeats)
    if times is None:
        return dict(row, note=note)
    row['ours_s'], row['plain_s'] = times['ours'], times.get('plain')
    if row['plain_s']:
        row['ratio'] = row['plain_s'] / row['ours_s']
    note = note or times.get('note')
    for way in ('ours', 'plain'):
        if case.measure_memory and way in times:
            if settings.device != 'cpu':
                row[f'{way}_mb'] = times[f'{way}_mb']
            else:
                row[f'{way}_mb'], failure = _in_child(_peak_memory, case, settings, threads, way)
                note = note or failure
    return dict(row, note=note) if note else row


def peak_memory(case: Case, settings: Settings) -> float:
    """Return the peak of one call of our way on the CPU, above what was taken before it, MiB.

    Args:
        case (Case): What to measure, in a process of its own and on one thread.
        settings (Settings): How it is built.

    Raises:
        DataError: If it could not be measured.
    """
    peak, failure = _in_child(_peak_memory, case, settings, 1, 'ours')
    if failure:
        raise DataError(f'{case.name}: {failure}')
    return peak


def _in_child(function: Callable, *args: Any) -> tuple[Any, Optional[str]]:
    """Run a function in a forked process; return its result, or None and what went wrong."""
    context = multiprocessing.get_context('fork')
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send_result, args=(sender, function, args))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        child.join()
        return None, f'the process ended with code {child.exitcode} (out of memory?)'
    finally:
        child.join()


def _send_result(sender: Any, function: Callable, args: tuple) -> None:
    try:
        sender.send((function(*args), None))
    except Exception as error:  # Whatever it is, the other cases can still be measured.
        sender.send((None, f'{type(error).__name__}: {str(error).splitlines()[0][:200]}'))


def _build(case: Case, settings: Settings, threads: int) -> Pair:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    pair = case.build(settings)
    gc.collect()
    return pair


def _time_pair(case: Case, settings: Settings, threads: int, repeats: int) -> dict[str, Any]:
    """Time both ways in turn, so that whatever else the machine does hits both."""
    pair = _build(case, settings, threads)
    ways, result = dict(ours=pair.ours), {}
    first, ours_s = _time(pair.ours, settings.device)
    times = dict(ours=_unless_short(ours_s, settings.device))
    if pair.plain is not None:
        try:
            with _limited_memory(case.max_plain_gib if settings.device == 'cpu' else None):
                other, plain_s = _time(pair.plain, settings.device)
            if pair.check is not None:
                pair.check(first, other)
            ways['plain'] = pair.plain
            times['plain'] = _unless_short(plain_s, settings.device)
        except (RuntimeError, MemoryError) as error:
            if 'memory' not in str(error) and not isinstance(error, MemoryError):
                raise
            result['note'] = f'plain: more than {case.max_plain_gib:g} GiB of memory'
    first = other = None
    for repeat in range(1, repeats + 1):
        for way, function in ways.items():
            if len(times[way]) < repeat:
                times[way].append(_time(function, settings.device)[1])
    if settings.device != 'cpu':  # There the peak is that of the allocator, not of the process.
        result.update({f'{way}_mb': _peak_on_gpu(function) for way, function in ways.items()})
    # Other work only ever adds to the time of a CPU; a GPU is nobody else's.
    summary = min if settings.device == 'cpu' else statistics.median
    return {**result, **{way: summary(values) for way, values in times.items()}}


def _unless_short(first_s: float, device: str) -> list[float]:
    """The first run warms up; of a long one on a CPU that is a negligible part, and it counts.

    On a GPU it may have compiled a network.
    """
    return [first_s] if first_s > LONG_S and device == 'cpu' else []


def _time(function: Callable, device: str) -> tuple[Any, float]:
    """Return the result of a function and the seconds it took."""
    if device == 'cpu':
        start = time.perf_counter()
        result = function()
        return result, time.perf_counter() - start
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start.record()
    result = function()
    end.record()
    torch.cuda.synchronize()
    return result, start.elapsed_time(end) / 1e3


def _peak_memory(case: Case, settings: Settings, threads: int, way: str) -> float:
    """Return the peak of one call above what was taken before it, MiB."""
    pair = _build(case, settings, threads)
    function = pair.ours if way == 'ours' else pair.plain
    torch.mm(torch.ones(64, 64), torch.ones(64, 64))  # Buffers of the linear algebra library.
    # What was freed but not given back would hide a part of the call's memory.
    ctypes.CDLL(None).malloc_trim(0)
    with open('/proc/self/clear_refs', 'w') as file:
        file.write('5')  # Resets the peak.
    idle = _status('VmRSS')
    function()
    return (_status('VmHWM') - idle) / 1024


def _peak_on_gpu(function: Callable) -> float:
    """Return the peak of one call above what was taken before it, MiB; it has run before."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    idle = torch.cuda.memory_allocated()
    function()
    torch.cuda.synchronize()
    return (torch.cuda.max_memory_allocated() - idle) / MIB


def _status(key: str) -> int:
    """Return a number (KiB) of this process from the kernel."""
    with open('/proc/self/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key))


class _limited_memory:
    """Let allocations beyond a limit fail, instead of waking the kernel's killer."""

    def __init__(self, gib: Optional[float]) -> None:
        self.limit = None if gib is None else int(gib * 2**30)

    def __enter__(self) -> None:
        if self.limit is not None:
            self.before = resource.getrlimit(resource.RLIMIT_DATA)
            limit = _status('VmData') * 1024 + self.limit
            resource.setrlimit(resource.RLIMIT_DATA, (limit, self.before[1]))

    def __exit__(self, *_: Any) -> None:
        if self.limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, self.before)
