"""A picture of what a process held while it trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Union

import numpy as np

from tests.robustness.memory_monitor import Footprint


def plot_memory(
    footprints: Sequence[Footprint],
    settled: Sequence[Footprint],
    slope: float,
    out: Union[str, Path],
) -> Path:
    """Draw memory, open files and tensors over the iterations.

    Args:
        footprints (Sequence[Footprint]): All measurements.
        settled (Sequence[Footprint]): Those after the warm-up, which the line is fitted to.
        slope (float): Slope of the line, MB per 1000 iterations.
        out (str | Path): The PNG file.

    Returns:
        Path: The file.
    """
    from matplotlib.figure import Figure

    # Not pyplot's: the caller's backend and figures stay as they are.
    figure = Figure(figsize=(9, 6), layout='constrained')
    memory_axis, *count_axes = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1))
    iterations, memory, *counts = np.array(footprints, dtype=float).T
    memory_axis.plot(iterations, memory, '.-', ms=3, lw=0.8, label='resident memory')
    x, y = np.array([one[:2] for one in settled]).T
    offset = np.median(y - slope / 1000 * x)
    label = f'after the warm-up: {slope:+.3f} MB per 1000 iterations'
    memory_axis.plot(x, offset + slope / 1000 * x, color='C3', label=label)
    memory_axis.set_ylabel('memory (MB)')
    # Above the axes: flat memory is a line that any place inside would cover.
    memory_axis.legend(loc='lower left', bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    for axis, count, name in zip(count_axes, counts, ('open files', 'tensors')):
        axis.step(iterations, count, where='post')
        axis.set_ylim(0, 1.2 * count.max())
        axis.set_ylabel(name)
        axis.yaxis.get_major_locator().set_params(integer=True)
    count_axes[-1].set_xlabel('iteration')
    for axis in (memory_axis, *count_axes):
        axis.grid(alpha=0.3)
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=100)
    return out
