"""Keys that messages tell the user to set exist in the configs."""

import ast
import re
from pathlib import Path

import pytest

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.config.loading import RUNNER_FIELDS, check_options

ROOT = Path(__file__).resolve().parents[2]
KEY = re.compile(r'`(?:--cfg-options )?([a-z_]+(?:\.\w+)+)(?:=([^`]*))?`(?! of the model)')
SOURCES = [
    path for folder in ('gvhmr_da_mm', 'tools') for path in sorted((ROOT / folder).rglob('*.py'))
]


def messages(path):
    """Yield the texts of a module but for docstrings, f-strings without their values."""
    tree = ast.parse(path.read_text(encoding='utf-8'))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in docs:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else '{}' for v in node.values]
            yield ''.join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def advised():
    found = {}
    for path in SOURCES:
        for text in messages(path):
            for key, value in KEY.findall(text):
                if key.split('.')[0] in RUNNER_FIELDS:
                    found[key] = value
    return sorted(found.items())


@pytest.mark.parametrize('key, value', advised())
def test_advised_keys_exist(key, value):
    config = load_config(ROOT / 'configs' / 'da_bedlam_emdb_3dpw.py')
    check_options(config, {key: value})


def test_messages_are_found():
    assert {'default_hooks.checkpoint.out_dir', 'default_hooks.motion_statistics'} <= set(
        dict(advised())
    )
