"""A wheel of the package, built once."""

import subprocess
import sys
from pathlib import Path

import pytest

REPO_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='session')
def built(tmp_path_factory):
    """Build a wheel from a copy, so that the checkout stays clean; return both."""
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
        if (REPO_ROOT / name).is_file() and not name.startswith(('docs/', 'tests/')):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((REPO_ROOT / name).read_bytes())
    command = [sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation']
    done = subprocess.run(
        [*command, '-w', str(copy / 'dist'), str(copy)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return copy, next((copy / 'dist').glob('*.whl'))
