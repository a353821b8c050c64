"""The memory of the fit depends on the window, not on the length of the clip."""

import re
import sys

from benchmarks import fit_memory
from tests.testing import print_to, run_ranks


def measure(rank, output, data_root):
    """Measure from a process that has freed nothing: forks would take that before new memory."""
    print_to(output)
    sys.argv = ['fit_memory.py', '--frames', '2400', '--data-root', str(data_root)]
    fit_memory.main()


def test_the_memory_of_windows_is_flat_and_that_of_one_piece_grows(toy_root, tmp_path):
    output = tmp_path / 'output.txt'
    run_ranks(measure, output, toy_root, world_size=1)
    growth = {
        line.split(':')[0]: float(re.search(r'([0-9.]+) times as much', line)[1])
        for line in output.read_text().splitlines()
    }
    assert 0.5 < growth['windows'] < 1.6
    assert growth['one piece'] > 2.5
