"""The memory of the fit depends on the window, not on the length of the clip."""

import re
import sys

from benchmarks import fit_memory


def test_the_memory_of_windows_is_flat_and_that_of_one_piece_grows(toy_root, monkeypatch, capsys):
    command = ['fit_memory.py', '--frames', '2400', '--data-root', str(toy_root)]
    monkeypatch.setattr(sys, 'argv', command)
    fit_memory.main()
    lines = capsys.readouterr().out.splitlines()
    growth = {
        line.split(':')[0]: float(re.search(r'([0-9.]+) times as much', line)[1]) for line in lines
    }
    assert 0.5 < growth['windows'] < 1.6
    assert growth['one piece'] > 2.5
