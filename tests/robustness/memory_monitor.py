"""What a process holds while it trains: memory, open files and tensors."""

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from scipy.stats import theilslopes

from gvhmr_da_mm.core.errors import ConfigError

STATUS, DESCRIPTORS = Path('/proc/self/status'), Path('/proc/self/fd')
WARM_UP = 0.2
DATA_BATCH = Optional[Union[dict, tuple, list]]


class Footprint(NamedTuple):
    """What this process holds after some iterations.

    Args:
        iteration (int): Iterations done.
        rss_mb (float): Resident memory, MB (2**20 bytes).
        files (int): Open files.
        tensors (int): Tensors that Python still refers to; one that keeps a graph is among them.
    """

    iteration: int
    rss_mb: float
    files: int
    tensors: int


def measure(iteration: int = 0) -> Footprint:
    """Measure this process now.

    Raises:
        ConfigError: If the system has no ``/proc``.
    """
    if not STATUS.is_file():
        raise ConfigError(f'memory is read from {STATUS}, which only Linux has')
    fields = dict(line.split(':', 1) for line in STATUS.read_text().splitlines())
    return Footprint(
        iteration,
        rss_mb=int(fields['VmRSS'].split()[0]) / 1024,
        files=len(os.listdir(DESCRIPTORS)),
        tensors=sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects()),
    )


class MemoryMonitor(Hook):
    """Measure this process every so many training iterations.

    Garbage in cycles is collected first: it would be collected some time later anyway, and is no
    leak. Priority ``LOWEST``, so that a checkpoint of the same iteration has been written.

    Args:
        interval (int): Iterations between measurements. Defaults to 100.
    """

    priority = 'LOWEST'

    def __init__(self, interval: int = 100) -> None:
        self.interval = interval
        self.footprints: list[Footprint] = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Measure."""
        if self.every_n_train_iters(runner, self.interval):
            gc.collect()
            self.footprints.append(measure(runner.iter + 1))


def after_warm_up(footprints: Sequence[Footprint], share: float = WARM_UP) -> list[Footprint]:
    """Leave out the first part of a run, in which caches and the allocator's pools fill."""
    start = share * footprints[-1].iteration
    return [one for one in footprints if one.iteration > start]


def rss_slope(footprints: Sequence[Footprint]) -> float:
    """Return the growth of memory in MB per 1000 iterations.

    The median of the slopes of all pairs (Theil and Sen): single jumps, such as a page that the
    allocator returns, do not count; steady growth does.
    """
    iterations, memory = np.array([one[:2] for one in footprints]).T
    return 1000 * float(theilslopes(memory, iterations).slope)


def growth(footprints: Sequence[Footprint], name: str) -> int:
    """Return how many more ``files`` or ``tensors`` there are in the second half than in the first.

    The fewest of each half are compared: a file that is being written at a measurement is no leak.
    """
    counts = [getattr(one, name) for one in footprints]
    middle = len(counts) // 2
    return min(counts[middle:]) - min(counts[:middle])
