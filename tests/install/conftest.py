"""What `make dist` builds, built once."""

import subprocess
import sys
from pathlib import Path

import pytest

REPO_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='session')
def built(tmp_path_factory):
    """Build from a copy, so that the checkout stays clean; return the copy and the wheel."""
    copy = tmp_path_factory.mktemp('copy')
    listed = subprocess.run(
        ['git', 'ls-files', '-co', '--exclude-standard'],
        cwd=REPO_ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip('not a git checkout')
    for name in listed.stdout.splitlines():
        if (REPO_ROOT / name).is_file() and not name.startswith('tests/'):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((REPO_ROOT / name).read_bytes())
    done = subprocess.run(
        [sys.executable, '-m', 'build', '--no-isolation', str(copy)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return copy, next((copy / 'dist').glob('*.whl'))
