"""`make venv`: which Python it takes, what it refuses, and that it does nothing twice."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPO_ROOT = Path(__file__).resolve().parents[2]
FAKE = """#!/bin/sh
case "$*" in
  *version_info*) echo {version};;
  *) echo "$0 $*" >> {log}; exit 1;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """Return a copy of what `make venv` reads, and a function that runs it."""
    for name in ('Makefile', 'requirements.txt', 'setup.py', 'pyproject.toml'):
        shutil.copy(REPO_ROOT / name, tmp_path)
    shutil.copytree(REPO_ROOT / 'requirements', tmp_path / 'requirements')
    for name in ('gvhmr_da_mm/version.py', 'gvhmr_da_mm/compat/link_editable.py'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPO_ROOT / name, tmp_path / name)
    (tmp_path / 'bin').mkdir()

    def make(*arguments):
        return subprocess.run(
            ['make', '-C', str(tmp_path), 'venv', *arguments],
            env=dict(PATH=f'{tmp_path / "bin"}:{os.environ["PATH"]}', HOME=str(tmp_path)),
            capture_output=True,
            text=True,
        )

    return tmp_path, make


def fake_python(folder, name, version):
    """Write a program that says its version, writes down any other call and fails."""
    path = folder / 'bin' / name
    path.write_text(FAKE.format(version=version, log=folder / 'calls'))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize('version', ['3.9', '3.14'])
def test_python_that_is_not_supported(version, checkout):
    folder, make = checkout
    python = fake_python(folder, 'mine', version)
    done = make(f'PYTHON={python}')
    assert done.returncode
    assert f'{python} is Python {version}, which is not supported' in done.stdout
    assert 'make venv PYTHON=/path/to/python3.12' in done.stdout
    assert not (folder / 'calls').exists()


def test_newest_python_is_taken(checkout):
    folder, make = checkout
    for name in ('python3.12', 'python3.11', 'python3.10', 'python3', 'python'):
        fake_python(folder, name, name[6:] or '3.11')
    (folder / 'bin' / 'python3.13').write_text('#!/bin/sh\nexit 1\n')  # as of pyenv
    (folder / 'bin' / 'python3.13').chmod(0o755)
    assert 'Making .venv with python3.12 (Python 3.12)' in make().stdout
    calls = (folder / 'calls').read_text().splitlines()
    assert [call.partition(' ')[2] for call in calls] == ['-m venv --clear .venv']


def test_nothing_is_done_twice(checkout):
    folder, make = checkout
    for name in ('python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3', 'python'):
        fake_python(folder, name, '3.12')
    (folder / '.venv').mkdir()
    for name in ('.dependencies', '.package'):
        (folder / '.venv' / name).touch()
    again = make()
    assert again.returncode == 0 and not (folder / 'calls').exists(), again.stdout
    newer = folder / 'requirements' / 'a_new_one.txt'
    newer.touch()
    later = newer.stat().st_mtime + 1  # The clock of a file system may tick slowly.
    os.utime(newer, (later, later))
    assert make().returncode and (folder / 'calls').exists()
