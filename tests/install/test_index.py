"""Installing for real, from the package index, into scratch environments."""

import json
import os
import shlex
import subprocess
import sys
import venv
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.docs.markdown import ENGLISH, blocks

REPO_ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


UNREACHABLE = 3
ASK = f"""
import json
import sys
from pip._internal.commands import create_command

command = create_command('download')
options, _ = command.parse_args(['--retries', '2', '--timeout', '20'])
index, kind, found = options.index_url.rstrip('/'), 'application/vnd.pypi.simple.v1+json', {{}}
with command.main_context():
    session = command.get_default_session(options)
    for name in sys.argv[1:]:
        try:
            answer = session.get(f'{{index}}/{{name}}/', headers=dict(Accept=kind))
            answer.raise_for_status()
            found[name] = answer.json()['files']
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
            sys.exit({UNREACHABLE})
json.dump(found, sys.stdout)
"""
"""Asks pip's index as pip asks it, in a process of its own: pip changes what is imported."""


def pins():
    """Return what `make venv` reads."""
    files = (REPO_ROOT / 'requirements').glob('*.txt')
    lines = [line for file in files for line in file.read_text().splitlines()]
    return [Requirement(line) for line in lines if line[0] != '#']


@pytest.fixture(scope='module')
def files_of():
    """Return the files of each package by its name, as the index lists them."""
    # MMPose first: of it there is no copy on the disk.
    names = dict.fromkeys(['mmpose', *(canonicalize_name(one.name) for one in pins())])
    asked = subprocess.run([sys.executable, '-c', ASK, *names], capture_output=True, text=True)
    if asked.returncode == UNREACHABLE:
        reason = asked.stderr.strip().splitlines()[-1]
        pytest.skip(f'no package index that answers in JSON can be reached: {reason}')
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12', '3.13'])
def test_every_pin_has_a_wheel_for_every_python(python, files_of):
    wanted = defaultdict(SpecifierSet)
    where = dict(python_version=python, python_full_version=f'{python}.0')
    for one in pins():
        assert not one.extras and not one.url
        if not one.marker or one.marker.evaluate(where):
            wanted[canonicalize_name(one.name)] &= one.specifier
    assert len(wanted) > 40
    version = tuple(map(int, python.split('.')))
    tags = {*cpython_tags(version), *compatible_tags(version, f'cp{version[0]}{version[1]}')}

    def is_fitting_wheel(file, specifier):
        if not file['filename'].endswith('.whl') or file.get('yanked'):
            return False
        # On Python 3.10 `make venv` ignores what is required for those without dependencies.
        required = SpecifierSet('' if python == '3.10' else file.get('requires-python') or '')
        try:
            _, release, _, offered = parse_wheel_filename(file['filename'])
        except ValueError:  # Old files have names that are no longer allowed.
            return False
        return release in specifier and bool(tags & offered) and f'{python}.0' in required

    assert not [
        f'{name}{specifier}'
        for name, specifier in wanted.items()
        if not any(is_fitting_wheel(file, specifier) for file in files_of[name])
    ]


def link_installed(site):
    """Make this environment's PyTorch and pip part of another, as PyTorch has gigabytes.

    With what they require.
    """
    names, seen = ['torch', 'pip'], set()
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
def scratch(built, files_of, tmp_path):
    """Return a function that runs a shell command in an environment with PyTorch alone."""
    folder = tmp_path / 'env'
    venv.create(folder)
    link_installed(next(folder.glob('lib/python3.*/site-packages')))
    (folder / 'bin' / 'pip').write_text(f'#!/bin/sh\nexec {folder}/bin/python -m pip "$@"\n')
    (folder / 'bin' / 'pip').chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name[:6] != 'PYTHON'}
    environment.update(PATH=f'{folder / "bin"}:{environment["PATH"]}', VIRTUAL_ENV=str(folder))
    environment.update(PIP_COMPILE='0')  # What is imported is compiled then.

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
