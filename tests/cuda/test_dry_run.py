"""The tests of this folder are skipped where there is no GPU; there they still have to run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
SLOW = 'compiled or exact or one_rank'
"""Tests that start other programs or compile."""


def test_they_run_small_on_the_cpu():
    if torch.cuda.is_available():
        pytest.skip('there is a GPU: the tests themselves run')
    command = [sys.executable, '-m', 'pytest', 'tests/cuda', '-m', 'cuda', '-k', f'not ({SLOW})']
    done = subprocess.run(
        [*command, '-q', '-p', 'no:cacheprovider', '-p', 'no:randomly'],
        cwd=ROOT,
        env={**os.environ, 'GVHMR_CUDA_DRY_RUN': '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert ' passed' in done.stdout
