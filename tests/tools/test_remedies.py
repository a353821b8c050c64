"""The commands that the environment report prints mend what it found, in a scratch environment."""

import os
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

from gvhmr_da_mm.compat import REQUIREMENTS

REPO_ROOT = Path(__file__).resolve().parents[2]
SCRIPT = REPO_ROOT / 'tools' / 'misc' / 'collect_env.py'
# What little of a package the report looks at.
CONTENT = {
    'torch/__init__.py': """
        class version:
            cuda = None
        class cuda:
            is_available = staticmethod(lambda: False)
    """,
    # As generated code of TensorBoard does.
    'torch/utils/tensorboard.py': """
        import google.protobuf
        if int(google.protobuf.__version__.split('.')[0]) < 5:
            raise ImportError('cannot import name runtime_version from google.protobuf')
    """,
    'mim/__init__.py': 'import modelindex',
    'pycocotools/coco.py': 'class COCO: pass',
    'pycocotools/cocoeval.py': 'class COCOeval: pass',
    'numpy/__init__.py': 'class ndarray: pass',
    'rich/table.py': 'raise ImportError("the plain report is enough")',
}


def make_wheel(folder, name, version, modules, needs=()):
    """Write a wheel of empty modules."""
    stem = f'{name.replace("-", "_")}-{version}'
    files = {}
    for module in modules:
        parts = module.split('.')
        for depth in range(1, len(parts)):
            path = '/'.join(parts[:depth]) + '/__init__.py'
            files[path] = CONTENT.get(path, f'__version__ = {version!r}')
        leaf = f'{"/".join(parts)}.py'
        if len(parts) == 1:
            leaf = f'{parts[0]}/__init__.py'
        files[leaf] = CONTENT.get(leaf, f'__version__ = {version!r}')
    requires = ''.join(f'Requires-Dist: {need}\n' for need in needs)
    files[f'{stem}.dist-info/METADATA'] = (
        f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}'
    )
    files[f'{stem}.dist-info/WHEEL'] = (
        'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n'
    )
    files[f'{stem}.dist-info/RECORD'] = ''.join(f'{path},,\n' for path in files)
    with zipfile.ZipFile(folder / f'{stem}-py3-none-any.whl', 'w') as archive:
        for path, content in files.items():
            lines = content.splitlines()
            indent = min((len(x) - len(x.lstrip()) for x in lines if x.strip()), default=0)
            archive.writestr(path, '\n'.join(line[indent:] for line in lines) + '\n')


@pytest.fixture
def scratch(tmp_path):
    """Return a function that runs a command in an environment that sees made-up wheels alone."""
    wheels = tmp_path / 'wheels'
    wheels.mkdir()
    for item in REQUIREMENTS:
        version = item.pin or item.version_range.partition(',')[0].strip('>=') or '1.0'
        modules = [item.module, *(use for use in item.uses if use.startswith(item.module))]
        needs = ['mmengine'] if item.module == 'mmcv' else []  # as mmcv-lite
        make_wheel(wheels, item.name, version, modules, needs)
        for need in item.beside:
            name, _, low = need.partition(',')[0].partition('>=')
            make_wheel(wheels, name, low, [name.replace('-py', '')])
    make_wheel(wheels, 'torch', '2.13.0', ['torch.utils.tensorboard'])
    make_wheel(wheels, 'rich', '10', ['rich.table'])
    make_wheel(wheels, 'pycocotools', '2.0.11', ['pycocotools.coco', 'pycocotools.cocoeval',
                                                 'pycocotools.mask'])  # fmt: skip
    make_wheel(wheels, 'protobuf', '6.33', ['google.protobuf'])
    make_wheel(wheels, 'protobuf', '4.25.9', ['google.protobuf'])
    make_wheel(wheels, 'numpy', '1.22.4', ['numpy'])
    make_wheel(wheels, 'torch', '1.13.1', ['torch'])
    make_wheel(wheels, 'mmengine', '0.10.7', ['mmengine'])
    venv.create(tmp_path / 'env', with_pip=True)
    python = tmp_path / 'env' / 'bin' / 'python'

    def run(command):
        environment = dict(
            PATH=os.environ['PATH'], PIP_NO_INDEX='1', PIP_FIND_LINKS=str(wheels),
            HOME=str(tmp_path), PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK='1',
        )  # fmt: skip
        return subprocess.run(
            ['bash', '-c', command.format(python=python)], cwd=tmp_path, env=environment,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    return run


def commands(output):
    return [line.strip() for line in output.splitlines() if ' -m pip ' in line]


@pytest.mark.slow
def test_remedies_mend_everything(scratch):
    # Old NumPy and PyTorch, two MMEngines, an old protobuf, mim without what it imports, a damaged
    # package, and all else missing.
    broken = 'numpy==1.22.4 torch==1.13.1 mmengine==0.10.7 onedl-mmengine protobuf==4.25.9'
    broken += ' tensorboard==2.20.0 openmim roma'
    done = scratch(f'{{python}} -m pip install --no-deps {broken}')
    assert done.returncode == 0, done.stderr
    damage = 'import roma; open(roma.__file__, "w").write("raise RuntimeError")'
    assert scratch(f"{{python}} -c '{damage}'").returncode == 0
    report = f'{{python}} {SCRIPT} --plain'
    before = scratch(report)
    assert before.returncode == 1, before.stdout
    for told in (
        'expected >=1.24,<3, found numpy 1.22.4',
        'expected >=2.3, found torch 1.13.1',
        'both provide `mmengine`',
    ):
        assert told in before.stdout
    forced = [command for command in commands(before.stdout) if '--force-reinstall' in command]
    assert [command.split()[-1] for command in forced] == ['"roma==1.8.0"']
    for _ in range(3):  # What cannot be imported shows when what it imports is there.
        found = commands(scratch(report).stdout)
        for command in found:
            done = scratch(command)
            assert done.returncode == 0, (command, done.stderr)
        if not found:
            break
    after = scratch(report)
    assert after.returncode == 0 and commands(after.stdout) == [], after.stdout
    assert 'mmengine                          0.10.12 onedl-mmengine' in after.stdout
    imported = scratch(f'cd {REPO_ROOT}; {{python}} -c "import gvhmr_da_mm; print(1)"')
    assert imported.stdout.strip() == '1', imported.stderr
