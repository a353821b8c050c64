"""No function of the package takes more arguments than anyone can keep in mind."""

import ast
import inspect
from pathlib import Path

from mmengine.dataset import BaseDataset

from gvhmr_da_mm.models import DomainAdaptiveGVHMR

PACKAGE = Path(__file__).parents[1] / 'gvhmr_da_mm'
MOST = 12
DICTATED = {'self', *inspect.signature(BaseDataset.__init__).parameters}
"""What the constructors of datasets take because MMEngine's base class does."""


def test_no_function_has_more_than_twelve_parameters():
    found = {}
    for path in PACKAGE.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names = {a.arg for a in (*node.args.posonlyargs, *node.args.args)}
                names |= {a.arg for a in node.args.kwonlyargs}
                dictated = DICTATED if node.name == '__init__' else {'self'}
                if len(names - dictated) > MOST:
                    found[f'{path.relative_to(PACKAGE)}:{node.name}'] = len(names)
    assert not found


def test_the_adaptive_model_has_at_most_ten():
    assert len(inspect.signature(DomainAdaptiveGVHMR).parameters) <= 10
