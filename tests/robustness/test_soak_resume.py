"""Runs of the real model in processes that are really killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO_ROOT = Path(__file__).resolve().parents[2]
TOOL = REPO_ROOT / 'tests' / 'robustness' / 'soak_resume.py'


def soak(*arguments):
    # A process of its own: one that has used threads should not be forked.
    return subprocess.run(
        [sys.executable, str(TOOL), *map(str, arguments)],
        env=dict(os.environ, PYTHONPATH=str(REPO_ROOT), OMP_NUM_THREADS='1', COLUMNS='200'),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.slow
def test_a_short_soak(toy_root, tmp_path):
    done = soak('--kills', 6, '--data-root', toy_root, '--work-dir', tmp_path, '--seed', 1)
    assert done.stdout.splitlines()[-1:] == ['kills=6 differences=0'], done.stdout + done.stderr
    assert done.returncode == 0
    again = soak('--kills', 6, '--data-root', toy_root, '--work-dir', tmp_path, '--seed', 1)
    assert again.stdout.splitlines()[-1] == 'kills=6 differences=0'
