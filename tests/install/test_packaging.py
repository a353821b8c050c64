import os
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import yaml

from gvhmr_da_mm import __version__

REPO_ROOT = Path(__file__).resolve().parents[2]
HEAVY = ('torch', 'mmengine', 'mmcv', 'mmpose', 'mmdet', 'chumpy', 'opencv')


def read_requirements(name: str) -> list:
    lines = (REPO_ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def test_runtime_requirements_are_safe():
    # pip would install another torch, overwrite the mmengine fork, or try to build chumpy.
    assert read_requirements('runtime')
    for line in read_requirements('runtime'):
        assert not line.startswith(HEAVY), line


def test_requirements_txt_includes_all_but_the_second_step():
    lines = (REPO_ROOT / 'requirements.txt').read_text().splitlines()
    included = {line.split('/')[-1][:-4] for line in lines if line.startswith('-r')}
    files = {path.stem for path in (REPO_ROOT / 'requirements').glob('*.txt')}
    # Detectors of keypoints are extras, and installed without their dependencies, too.
    assert files - included == {'mediapipe', 'mminstall_nodeps', 'rtmlib'}


def test_metadata():
    done = subprocess.run(
        [sys.executable, 'setup.py', '--name', '--version'],
        cwd=REPO_ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ['gvhmr_da_mm', __version__], done.stderr


def test_config_names_are_unique():
    # mim finds a config by its bare name anywhere below the package.
    paths = [*(REPO_ROOT / 'configs').rglob('*.py')]
    paths += (REPO_ROOT / 'gvhmr_da_mm').rglob('*.py')
    paths += (REPO_ROOT / 'tools').rglob('*.py')
    # The build adds both to the package; where there are no links they are copies.
    added = ('gvhmr_da_mm/.mim', 'gvhmr_da_mm/configs')
    own = [path for path in paths if not path.relative_to(REPO_ROOT).as_posix().startswith(added)]
    counts = Counter(path.name for path in own)
    configs = [path for path in (REPO_ROOT / 'configs').glob('*.py') if path.stem != '__init__']
    assert configs
    assert [path.name for path in configs if counts[path.name] != 1] == []


def test_model_index_names_what_exists():
    index = yaml.safe_load((REPO_ROOT / 'model-index.yml').read_text())
    for name in index['Import']:
        metafile = yaml.safe_load((REPO_ROOT / name).read_text())
        collections = {collection['Name'] for collection in metafile['Collections']}
        for collection in metafile['Collections']:
            assert (REPO_ROOT / collection['README']).is_file(), collection['README']
        for model in metafile['Models']:
            assert model['In Collection'] in collections
            assert (REPO_ROOT / model['Config']).is_file(), model['Config']
            assert Path(model['Config']).stem == model['Name']


def test_mim_finds_all_configs_without_a_network(monkeypatch):
    search = pytest.importorskip('mim.commands.search')
    monkeypatch.setattr('socket.socket.connect', refuse)
    found = search.get_model_info('gvhmr_da_mm', to_dict=True)
    names = {path.stem for path in (REPO_ROOT / 'configs').glob('*.py')}
    assert set(found) <= names and 'gvhmr_keypoints_s' in found
    assert found['da_bedlam_emdb_3dpw']['config'] == 'configs/da_bedlam_emdb_3dpw.py'


def test_mim_download_stops_as_the_page_of_models_says(tmp_path):
    # It takes weights from URLs; those that are shipped are in the package.
    download = pytest.importorskip('mim.commands.download')
    with pytest.raises(ValueError, match='Expected fields'):
        download.download('gvhmr_da_mm', ['gvhmr_keypoints_s'], str(tmp_path))
    assert 'Expected fields' in (REPO_ROOT / 'docs' / 'en' / 'models.md').read_text()


def refuse(*args):
    raise OSError('there is no network')


@pytest.mark.parametrize(
    'script, count', [('dist_train', 2), ('dist_test', 3), ('slurm_train', 4), ('slurm_test', 4)]
)
def test_launch_scripts(script, count, tmp_path):
    path = REPO_ROOT / 'tools' / f'{script}.sh'
    done = subprocess.run(['bash', str(path)], capture_output=True, text=True)
    assert done.returncode == 2 and 'usage' in done.stderr
    # With `echo` in place of what would be launched, from another directory.
    (tmp_path / 'srun').write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / 'srun').chmod(0o755)
    words = [f'word{i}' for i in range(count)]
    done = subprocess.run(
        ['bash', str(path), *words, '--cfg-options', 'a=1'],
        cwd=tmp_path,
        env={'PATH': f'{tmp_path}:/usr/bin:/bin', 'PYTHON': 'echo'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    tool = REPO_ROOT / 'tools' / f'{script.split("_")[1]}.py'
    assert str(tool) in done.stdout
    assert done.stdout.strip().endswith('--cfg-options a=1')
    for word in words:
        assert word in done.stdout


@pytest.fixture(scope='module')
def wheel(built):
    """Return the names of the files of the wheel, and its metadata."""
    with zipfile.ZipFile(built[1]) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith('/METADATA'))
        return set(archive.namelist()), archive.read(metadata).decode()


def test_wheel_has_what_mim_looks_for(wheel):
    names, _ = wheel
    assert 'gvhmr_da_mm/.mim/model-index.yml' in names
    assert not [name for name in names if '__pycache__' in name]


def test_wheel_puts_nothing_beside_the_package(wheel):
    names, _ = wheel
    assert not [name for name in names if name.startswith(('tests/', 'tools/', 'configs/'))]


OWN_CONFIG = """
from mmengine.config import read_base

with read_base():
    from gvhmr_da_mm.configs.da_bedlam_emdb_3dpw import *

train_dataloader.batch_size = 3
"""
READ = """
import sys
from pathlib import Path
import gvhmr_da_mm
from gvhmr_da_mm.apis import load_config
print(Path(gvhmr_da_mm.__file__).parents[1])
config = load_config(sys.argv[1])
print(config.train_dataloader.batch_size, config.model.type.__name__)
"""


def inherit_configs(installed, folder):
    """Read a config of one's own folder that inherits from the installed package."""
    (folder / 'own.py').write_text(OWN_CONFIG)
    done = subprocess.run(
        [sys.executable, '-c', READ, str(folder / 'own.py')],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(installed.resolve()), '3', 'DomainAdaptiveGVHMR']


def test_configs_of_the_wheel_can_be_inherited(built, tmp_path):
    installed, own = tmp_path / 'installed', tmp_path / 'own'
    own.mkdir()
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(installed)
    inherit_configs(installed, own)


def test_configs_of_a_checkout_can_be_inherited(built, tmp_path):
    checkout, _ = built
    command = [sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--no-build-isolation']
    done = subprocess.run(
        [*command, '--target', str(tmp_path / 'site'), '-e', str(checkout)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    folder = checkout / 'gvhmr_da_mm' / 'configs'
    assert folder.is_symlink() and folder.resolve() == (checkout / 'configs').resolve()
    inherit_configs(checkout, tmp_path)


def test_wheel_requires_nothing_heavy(wheel):
    _, metadata = wheel
    lines = [line for line in metadata.splitlines() if line.startswith('Requires-Dist')]
    assert len(lines) >= len(read_requirements('runtime'))
    for line in lines:
        assert not line.split(': ')[1].startswith(HEAVY), line
