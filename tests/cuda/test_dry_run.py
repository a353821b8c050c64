"""The tests of this folder are skipped where there is no GPU; there they still have to run."""

import os
from pathlib import Path

import pytest
import torch

from tests.testing import print_to, run_ranks

ROOT = Path(__file__).resolve().parents[2]
SLOW = 'compiled or exact or one_rank'
"""Tests that start other programs or compile."""


def dry_run(rank, output):
    """Run the tests in a process of their own, as they ask the environment once."""
    print_to(output)
    os.environ['GVHMR_CUDA_DRY_RUN'] = '1'
    os.chdir(ROOT)
    options = ('-q', '-p', 'no:cacheprovider', '-p', 'no:randomly')
    code = pytest.main(['tests/cuda', '-m', 'cuda', '-k', f'not ({SLOW})', *options])
    assert code == 0, output.read_text()[-4000:]


def test_they_run_small_on_the_cpu(tmp_path):
    if torch.cuda.is_available():
        pytest.skip('there is a GPU: the tests themselves run')
    output = tmp_path / 'output.txt'
    run_ranks(dry_run, output, world_size=1)
    assert ' passed' in output.read_text()
