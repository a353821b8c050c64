"""What a release consists of: archives, metadata, the image, continuous integration."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from gvhmr_da_mm import __version__

REPO_ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (REPO_ROOT / 'Dockerfile').read_text(encoding='utf-8')
MEGABYTE = 1e6


def tracked(copy, *folders):
    """Return the files of folders of the copy from which the archives were built."""
    paths = [path for folder in folders for path in (copy / folder).rglob('*') if path.is_file()]
    names = {path.relative_to(copy).as_posix() for path in paths}
    made = ('gvhmr_da_mm/.mim/', 'gvhmr_da_mm/configs/')
    return {name for name in names if not name.startswith(made) and '__pycache__' not in name}


def test_wheel_holds_all_of_the_package(built):
    copy, path = built
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        code = [file for file in archive.infolist() if not file.filename.endswith('.safetensors')]
    assert tracked(copy, 'gvhmr_da_mm') <= names
    for place in ('gvhmr_da_mm/.mim/', 'gvhmr_da_mm/'):
        assert {place + name for name in tracked(copy, 'configs')} <= names
    assert {f'gvhmr_da_mm/.mim/{name}' for name in tracked(copy, 'tools')} <= names
    licences = {name.partition('/licenses/')[2] for name in names if '/licenses/' in name}
    assert {'LICENSE', 'gvhmr_da_mm/demo/motions/NOTICE'} <= licences
    assert path.stat().st_size < 60 * MEGABYTE
    assert sum(file.compress_size for file in code) < 8 * MEGABYTE


def test_sdist_holds_what_a_build_needs_and_nothing_built(built):
    copy, _ = built
    (path,) = (copy / 'dist').glob('*.tar.gz')
    with tarfile.open(path) as archive:
        names = {name.partition('/')[2] for name in archive.getnames()}
    needed = tracked(copy, 'gvhmr_da_mm', 'configs', 'tools', 'requirements', 'docs')
    files = ('setup.py', 'pyproject.toml', 'LICENSE', 'CITATION.cff', 'CHANGELOG.md', 'SECURITY.md')
    assert needed | {*files} <= names
    built_folders = ('gvhmr_da_mm/.mim', 'gvhmr_da_mm/configs', 'docs/en/reference', 'build/')
    assert not [name for name in names if name.startswith(built_folders)]
    assert path.stat().st_size < 60 * MEGABYTE


def test_twine_accepts_both(built):
    archives = [str(path) for path in (built[0] / 'dist').iterdir()]
    assert len(archives) == 2
    done = subprocess.run(
        [sys.executable, '-m', 'twine', 'check', '--strict', *archives],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count('PASSED') == 2


def test_changelog_and_citation_name_this_version_and_one_date():
    changelog = (REPO_ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')
    version, date = re.search(r'^## \[(.+)\] - (.+)$', changelog, flags=re.M).groups()
    citation = yaml.safe_load((REPO_ROOT / 'CITATION.cff').read_text(encoding='utf-8'))
    assert version == str(citation['version']) == __version__
    assert date == str(citation['date-released'])


def supported_pythons():
    code = (REPO_ROOT / 'setup.py').read_text(encoding='utf-8')
    return re.findall(r'Python :: (3\.\d+)', code)


def test_workflow_runs_what_ci_runs_on_every_python():
    path = REPO_ROOT / '.github' / 'workflows' / 'ci.yml'
    job = yaml.safe_load(path.read_text(encoding='utf-8'))['jobs']['test']
    assert job['strategy']['matrix']['python'] == supported_pythons()
    assert [step['run'] for step in job['steps'] if 'run' in step] == ['.ci/run']
    # `make venv` takes the Python that the variable names.
    assert job['env']['PYTHON'] == 'python${{ matrix.python }}'
    assert (REPO_ROOT / '.ci' / 'run').stat().st_mode & 0o100


@pytest.mark.parametrize('name', ['bug_report', 'feature_request'])
def test_issue_forms_are_complete(name):
    path = REPO_ROOT / '.github' / 'ISSUE_TEMPLATE' / f'{name}.yml'
    form = yaml.safe_load(path.read_text(encoding='utf-8'))
    assert form['name'] and form['description']
    assert len({part['id'] for part in form['body']}) == len(form['body'])
    assert all(part['attributes']['label'] for part in form['body'])


def test_image_has_the_pins_of_the_requirements():
    pin = 'torch==2.13.0'
    assert pin in (REPO_ROOT / 'requirements' / 'mminstall.txt').read_text().splitlines()
    assert re.findall(r'torch==\S+', DOCKERFILE) == [pin, pin]
    assert set(re.findall(r'^FROM .* AS torch-(\w+)$', DOCKERFILE, flags=re.M)) == {'cpu', 'cuda'}
    (python,) = re.findall(r'FROM python:(3\.\d+)', DOCKERFILE)
    assert python in supported_pythons()
    for name in re.findall(r'-r (\S+)|python (tools/\S+)', DOCKERFILE.replace('"', '')):
        assert (REPO_ROOT / ''.join(name)).is_file(), name


@pytest.mark.parametrize('name', ['README.md', 'README_zh-TW.md'])
def test_badges_are_true(name):
    text = (REPO_ROOT / name).read_text(encoding='utf-8')
    told = dict(re.findall(r'img\.shields\.io/badge/(\w+)-([^)]+)-\w+\)', text))
    pythons = supported_pythons()
    assert told['Python'] == f'{pythons[0]}%20to%20{pythons[-1]}'
    assert told['Licence'] == 'Apache%202.0'
    pins = (REPO_ROOT / 'requirements' / 'mminstall_nodeps.txt').read_text()
    assert f'mmpose=={told["MMPose"]}.' in pins
    assert len(text.splitlines()) <= 150
