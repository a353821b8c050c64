import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gvhmr_da_mm.compat import PackageState, Requirement
from gvhmr_da_mm.compat.requirements import NO_DEPS_OPTIONS
from gvhmr_da_mm.datasets.sources.expected_files import expected_files

REPO_ROOT = Path(__file__).resolve().parents[2]
SCRIPT = REPO_ROOT / 'tools' / 'misc' / 'collect_env.py'


@pytest.fixture(scope='module')
def collect_env():
    spec = importlib.util.spec_from_file_location('collect_env', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def states(collect_env, monkeypatch):
    """Let the packages be found in a state of our choice: none is wrong."""
    found = [PackageState(Requirement('gv', ('gv',), purpose='testing'), 'ok', '1.0', 'gv')]
    monkeypatch.setattr(collect_env, 'inspect_packages', lambda: found)
    return found


def test_all_is_well(collect_env, states, tmp_path, capsys):
    assert collect_env.main(['--plain', '--data-root', str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert 'Everything required is there' in output
    assert 'gv' in output and 'testing' in output


@pytest.mark.parametrize('options', [['--plain'], []])
def test_required_package_is_missing(collect_env, states, tmp_path, capsys, options):
    requirement = Requirement('other', ('gv-other[extra]',), pin='1.0')
    fix = requirement.fix()
    states.append(PackageState(requirement, 'missing', fix=fix))
    assert collect_env.main([*options, '--data-root', str(tmp_path)]) == 1
    output = capsys.readouterr().out
    assert f'  {fix}\n' in output
    assert '1 problem(s): other' in output


def test_optional_package_is_missing(collect_env, states, tmp_path, capsys):
    requirement = Requirement('other', ('gv-other',), role='optional')
    states.append(PackageState(requirement, 'missing', fix=requirement.fix()))
    assert collect_env.main(['--plain', '--data-root', str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert output.index('Optional') < output.index(requirement.fix())


@pytest.mark.parametrize(
    'distribution, told', [('onedl-mmengine', 'the maintained fork'), ('mmengine', 'stock')]
)
def test_flavour_of_mmengine(collect_env, distribution, told):
    requirement = Requirement('mmengine', ('onedl-mmengine', 'mmengine'))
    rows = collect_env.capability_rows([PackageState(requirement, 'ok', '0.10.7', distribution)])
    assert rows[0][0] == 'MMEngine'
    assert told in rows[0][2] and distribution in rows[0][2]


def test_data_root_that_does_not_exist(collect_env, tmp_path, monkeypatch):
    missing = str(tmp_path / 'nothing')
    assert collect_env.data_rows(missing)[0][1] == collect_env.BAD
    monkeypatch.setenv('GVHMR_DATA_ROOT', missing)
    assert collect_env.data_rows(None)[0][1] == collect_env.NOTE


def test_missing_files_are_named(collect_env, tmp_path):
    smpl = tmp_path / 'body_models' / 'smpl'
    smpl.mkdir(parents=True)
    (smpl / 'SMPL_MALE.pkl').touch()
    rows = {row[0]: row for row in collect_env.data_rows(str(tmp_path))}
    level, detail = rows['SMPL body models'][1:]
    assert level == collect_env.NOTE
    assert 'SMPL_NEUTRAL.pkl' in detail and 'SMPL_MALE.pkl' not in detail
    required = [group for group in expected_files() if not group.is_optional]
    assert len(rows) == 1 + len(required)


def test_optional_data_sets_are_looked_for_where_their_folder_exists(collect_env, tmp_path):
    assert 'H36M' not in {row[0] for row in collect_env.data_rows(str(tmp_path))}
    (tmp_path / 'H36M' / 'hmr4d_support').mkdir(parents=True)
    rows = {row[0]: row for row in collect_env.data_rows(str(tmp_path))}
    level, detail = rows['H36M'][1:]
    assert level == collect_env.NOTE
    assert 'h36m_train.pt' in detail and 'docs/en/data.md#h36m' in detail


@pytest.mark.fixtures
def test_complete_data_root(collect_env, fixtures_root):
    rows = collect_env.data_rows(str(fixtures_root))
    assert [row for row in rows if row[1] != collect_env.GOOD] == []


def test_runs_with_the_standard_library_alone(tmp_path):
    # -S and -E: no site-packages at all.
    done = subprocess.run(
        [sys.executable, '-S', '-E', str(SCRIPT)],
        cwd=tmp_path,
        env={'PATH': os.environ['PATH']},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert 'torch' in done.stdout and 'missing' in done.stdout
    pip = f'{sys.executable} -m pip install {" ".join(NO_DEPS_OPTIONS)}'
    assert f'{pip} "mmcv-lite==2.1.0" "mmpose==1.3.2"' in done.stdout
    assert 'make venv' in done.stdout


def test_importing_the_package_says_what_to_install(tmp_path):
    done = subprocess.run(
        [sys.executable, '-S', '-E', '-c', 'import gvhmr_da_mm'],
        cwd=REPO_ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert 'InstallationError' in done.stderr and done.stderr.count('Traceback') == 1
    assert f'{sys.executable} -m pip install "torch==' in done.stderr


@pytest.mark.parametrize(
    'driver, cuda, told',
    [
        (None, None, 'none on this machine'),
        ('/usr/bin/nvidia-smi', None, 'built without CUDA.*pytorch.org'),
        ('/usr/bin/nvidia-smi', '13.0', 'sees no device.*CUDA_VISIBLE_DEVICES'),
    ],
)
def test_torch_that_sees_no_gpu(collect_env, monkeypatch, driver, cuda, told):
    monkeypatch.setattr(collect_env.shutil, 'which', lambda name: driver)
    assert re.search(told, collect_env.without_gpu(cuda))
