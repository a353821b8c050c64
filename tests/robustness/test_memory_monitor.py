"""What grows is told from what only jumps or fluctuates."""

import mmap

import numpy as np
import pytest
import torch
from torch import nn

from tests.robustness.memory_monitor import (
    Footprint,
    after_warm_up,
    growth,
    measure,
    rss_slope,
)
from tests.robustness.plot_memory import plot_memory


def footprints(memory, files=7, tensors=90):
    counts = (np.broadcast_to(count, len(memory)) for count in (files, tensors))
    return [
        Footprint(100 * (i + 1), float(m), int(f), int(t))
        for i, (m, f, t) in enumerate(zip(memory, *counts))
    ]


def noise(count, scale=1.0):
    return scale * np.random.default_rng(0).standard_normal(count)


def test_steady_growth_is_found_in_noise():
    assert rss_slope(footprints(500 + 0.25 * np.arange(200) + noise(200))) == pytest.approx(
        2.5, abs=0.05
    )


def test_a_jump_is_no_growth():
    memory = 500 + noise(200, 0.1)
    memory[150:] += 300
    assert abs(rss_slope(footprints(memory))) < 0.05


def test_repeated_jumps_are_growth():
    memory = 500 + 5.0 * (np.arange(200) // 20)
    assert rss_slope(footprints(memory)) == pytest.approx(2.5, rel=0.1)


def test_the_warm_up_does_not_count():
    memory = np.concatenate((np.linspace(200, 500, 40), np.full(160, 500.0)))
    settled = after_warm_up(footprints(memory))
    assert settled[0].iteration == 4100 and len(settled) == 160
    assert rss_slope(settled) == 0


def test_files():
    assert growth(footprints(np.ones(40), files=7 + np.arange(40) // 20), 'files') == 1
    assert growth(footprints(np.ones(40), files=[7, 9] * 20), 'files') == 0


def test_a_file_being_written_is_no_growth():
    assert growth(footprints(np.ones(40), files=[7] * 39 + [8]), 'files') == 0


def test_a_tensor_that_is_kept_in_each_iteration_is_growth():
    assert growth(footprints(np.ones(40), tensors=90 + np.arange(40)), 'tensors') == 20


def test_this_process_is_measured(tmp_path):
    before = measure(3)
    # Fresh pages: an array may get memory that earlier tests have returned to the allocator.
    with mmap.mmap(-1, 64 << 20) as held, (tmp_path / 'file').open('w'):
        held.write(b'1' * len(held))
        kept = torch.ones(3, requires_grad=True)
        graph = [kept.exp(), nn.Parameter(kept.detach())]
        during = measure(4)
    assert (before.iteration, during.iteration) == (3, 4)
    assert 60 < during.rss_mb - before.rss_mb < 80
    assert during.files == before.files + 1
    assert during.tensors == before.tensors + 1 + len(graph)


def test_the_picture(tmp_path):
    all_of_it = footprints(500 + noise(50))
    path = plot_memory(all_of_it, after_warm_up(all_of_it), 0.1, tmp_path / 'new' / 'memory.png')
    assert path.stat().st_size > 10_000
