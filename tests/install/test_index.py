"""Installing for real, from the package index, into scratch environments."""

import os
import shlex
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.docs.markdown import ENGLISH, blocks

REPO_ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module', autouse=True)
def _index(tmp_path_factory):
    """Skip where no package index answers; of MMPose there is no copy on the disk."""
    command = [sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', '--retries', '0']
    folder = tmp_path_factory.mktemp('asked')
    done = subprocess.run(
        [*command, '--timeout', '20', '-d', str(folder), 'mmpose==1.3.2'],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f'no package index can be reached: {done.stderr.strip().splitlines()[-1]}')


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12', '3.13'])
def test_every_pin_has_a_wheel_for_every_python(python, tmp_path):
    # As `make venv` reads them; pip itself evaluates markers for the Python that it runs in.
    lines = []
    for file in (REPO_ROOT / 'requirements').glob('*.txt'):
        for line in file.read_text().splitlines():
            name, _, marker = line.partition(';')
            where = dict(python_version=python, python_full_version=f'{python}.0')
            if line[0] != '#' and (not marker or Marker(marker).evaluate(where)):
                lines.append(name)
    (tmp_path / 'all.txt').write_text('\n'.join(lines))
    options = ['--dry-run', '--no-deps', '--python-version', python, '--only-binary=:all:']
    options += ['--ignore-requires-python'] if python == '3.10' else []
    done = subprocess.run(
        [sys.executable, '-m', 'pip', 'install', '-q', *options, '--target', str(tmp_path / 'no')]
        + ['-r', str(tmp_path / 'all.txt')],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def link_torch(site):
    """Make this environment's PyTorch and what it requires part of another: it has gigabytes."""
    names, seen = ['torch'], set()
    while names:
        name = names.pop()
        if name in seen or name in ('numpy', 'setuptools'):
            continue
        seen.add(name)
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files} - {'..', '__pycache__'}:
            if not (site / top).exists():
                (site / top).symlink_to(distribution.locate_file(top))
        for text in distribution.requires or ():
            needed = Requirement(text)
            if not needed.marker or needed.marker.evaluate({'extra': ''}):
                names.append(needed.name)


@pytest.fixture
def scratch(built, tmp_path):
    """Return a function that runs a shell command in an environment with PyTorch alone."""
    folder = tmp_path / 'env'
    venv.create(folder, with_pip=True)
    link_torch(next(folder.glob('lib/python3.*/site-packages')))
    environment = {name: value for name, value in os.environ.items() if name[:6] != 'PYTHON'}
    environment.update(PATH=f'{folder / "bin"}:{environment["PATH"]}', VIRTUAL_ENV=str(folder))

    def run(command, code=0):
        done = subprocess.run(
            ['bash', '-ec', command],
            cwd=built[1].parent,
            env=environment,
            capture_output=True,
            text=True,
            timeout=550,
        )
        assert done.returncode == code, (command, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout + done.stderr

    return run


def pip_commands(text):
    return [line.strip() for line in text.splitlines() if ' -m pip ' in line]


def test_wheel_and_one_line_of_the_install_page(scratch):
    code = next(code for code in blocks(ENGLISH / 'install.md', 'bash') if '.whl' in code)
    wheel, stack = code.strip().splitlines()
    scratch(wheel)
    scratch(stack)
    assert scratch('python -c "import gvhmr_da_mm as g; print(g.__version__)"').strip()
    report = scratch('mim run gvhmr_da_mm collect_env --plain')
    assert 'Everything required is there' in report and 'To fix it' not in report
    assert not [line for line in report.splitlines() if 'PROBLEM' in line or ' broken ' in line]
    assert 'da_bedlam_emdb_3dpw' in scratch('mim search gvhmr_da_mm --valid-config')


def test_commands_that_are_printed(scratch, built):
    scratch(f'pip install -q --no-deps {shlex.quote(str(built[1]))}')
    told = scratch('python -c "import gvhmr_da_mm"', code=1)
    assert told.count('Traceback') == 1 and 'InstallationError' in told
    assert pip_commands(told)
    for command in pip_commands(told):
        scratch(command)
    scratch('python -c "import gvhmr_da_mm"')
    report = told.splitlines()[-1].split('`')[1] + ' --plain'
    optional = pip_commands(scratch(report))
    assert optional
    for command in optional:
        scratch(command)
    report = scratch(report)
    assert pip_commands(report) == [], report
