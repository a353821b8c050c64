"""What grows is told from what only jumps or fluctuates."""

import mmap

import numpy as np
import pytest

from tests.robustness.memory_monitor import (
    Footprint,
    after_warm_up,
    files_growth,
    measure,
    rss_slope,
)
from tests.robustness.plot_memory import plot_memory


def footprints(memory, files=7):
    files = np.broadcast_to(files, len(memory))
    return [
        Footprint(100 * (i + 1), float(m), int(f)) for i, (m, f) in enumerate(zip(memory, files))
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
    assert files_growth(footprints(np.ones(40), files=7 + np.arange(40) // 20)) == 1
    assert files_growth(footprints(np.ones(40), files=[7, 9] * 20)) == 0


def test_a_file_being_written_is_no_growth():
    assert files_growth(footprints(np.ones(40), files=[7] * 39 + [8])) == 0


def test_this_process_is_measured(tmp_path):
    before = measure(3)
    # Fresh pages: an array may get memory that earlier tests have returned to the allocator.
    with mmap.mmap(-1, 64 << 20) as held, (tmp_path / 'file').open('w'):
        held.write(b'1' * len(held))
        during = measure(4)
    assert (before.iteration, during.iteration) == (3, 4)
    assert 60 < during.rss_mb - before.rss_mb < 80
    assert during.files == before.files + 1


def test_the_picture(tmp_path):
    all_of_it = footprints(500 + noise(50))
    path = plot_memory(all_of_it, after_warm_up(all_of_it), 0.1, tmp_path / 'new' / 'memory.png')
    assert path.stat().st_size > 10_000
