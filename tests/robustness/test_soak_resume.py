"""Runs of the real model in processes that are really killed."""

import sys

import pytest

from tests.robustness import soak_resume
from tests.testing import print_to, run_ranks


def soak(rank, arguments, output):
    """Call the tool in a process that has used no threads, as it forks."""
    print_to(output)
    sys.argv = list(arguments)
    code = soak_resume.main()
    assert code == 0, output.read_text()


@pytest.mark.slow
def test_a_short_soak(toy_root, tmp_path, monkeypatch, capsys):
    options = ('--kills', 6, '--data-root', toy_root, '--work-dir', tmp_path / 'runs', '--seed', 1)
    arguments = ['soak_resume.py', *map(str, options)]
    run_ranks(soak, arguments, tmp_path / 'output.txt', world_size=1)
    printed = (tmp_path / 'output.txt').read_text()
    assert printed.splitlines()[-1] == 'kills=6 differences=0', printed
    # Called again, it has nothing left to do.
    monkeypatch.setattr(sys, 'argv', arguments)
    assert soak_resume.main() == 0
    assert capsys.readouterr().out.splitlines()[-1] == 'kills=6 differences=0'
