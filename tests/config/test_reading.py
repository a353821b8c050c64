"""Config files that cannot be executed, and modules of `custom_imports`."""

import sys
from pathlib import Path

import pytest

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.core.errors import ConfigError

TINY = Path(__file__).resolve().parents[2] / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
BASE = 'from mmengine.config import read_base\nwith read_base():\n    from .base import *\n'


@pytest.fixture
def write(tmp_path):
    (tmp_path / 'base.py').write_text("part = dict(type='SGD', lr=1)\n")

    def _write(text, name='config.py'):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return _write


@pytest.mark.parametrize(
    'text, parts',
    [
        (BASE.replace('.base', '.bas'), ['bas.py', 'not found']),
        ("_base_ = ['./bas.py']\n", ['bas.py', 'does not exist']),
        (f"_base_ = '{TINY}'\n", ['read_base', 'extending.md']),
        (BASE + 'x = y + 1\n', ['config.py, line 4', "name 'y'"]),
        (BASE + 'x = (1\n', ['config.py, line 4', 'SyntaxError']),
        (BASE + 'from nowhere.part import Y\nz = dict(type=Y)\n', ['config.py, line 4', 'nowhere']),
        (BASE + 'part.update(_delete_=True)\n', ['`part._delete_`', 'merge']),
    ],
)
def test_a_file_that_cannot_be_run(write, text, parts):
    with pytest.raises(ConfigError) as error:
        load_config(write(text))
    assert all(part in str(error.value) for part in parts), error.value


def test_a_part_is_replaced_by_merging(write):
    text = BASE + "part.merge(dict(_delete_=True, type='Adam'))\n"
    assert load_config(write(text)).part == dict(type='Adam')


@pytest.mark.parametrize('base', [BASE, ''], ids=['read_base', 'plain'])
@pytest.mark.parametrize('by', ['file', 'option'])
def test_custom_imports(write, tmp_path, monkeypatch, base, by):
    name = f'my_module_{by}_{len(base)}'
    module = (
        'from torch import nn\n'
        'from gvhmr_da_mm.registry import MODELS\n\n'
        f"MODELS.register_module(name='Of_{name}', module=nn.Identity)\n"
    )
    write(module, f'{name}.py')
    monkeypatch.syspath_prepend(str(tmp_path))
    line = f"custom_imports = dict(imports=['{name}'])\n" if by == 'file' else ''
    options = {'custom_imports.imports': [name]} if by == 'option' else None
    load_config(
        write(f"{base}{line}mine = dict(type='Of_{name}')\n" if by == 'file' else base), options
    )
    assert name in sys.modules


@pytest.mark.parametrize('base', [BASE, ''], ids=['read_base', 'plain'])
def test_custom_imports_that_fail(write, base):
    line = "custom_imports = dict(imports=['nowhere_at_all'], allow_failed_imports=%s)\n"
    with pytest.raises(ConfigError, match='nowhere_at_all.*PYTHONPATH'):
        load_config(write(base + line % False))
    load_config(write(base + line % True))
