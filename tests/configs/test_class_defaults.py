"""The defaults of the classes are the recipe: the main config states what departs from them."""

import inspect
from pathlib import Path

import pytest
from mmengine.registry import DefaultScope

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.evaluation import WorldSpaceMetric
from gvhmr_da_mm.evaluation.metrics.sequence_metric import SequenceMetric
from gvhmr_da_mm.registry import SCOPE
from tests.testing import isolated_registry

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'da_bedlam_emdb_3dpw.py'
FILLED = {'data_root'}
"""Fields that stand in a config, though None is the default, for ``--data-root`` to fill."""
OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parts(node, where=''):
    """Yield the parts of ours in a config, with their keys."""
    if isinstance(node, dict):
        kind = node.get('type')
        if inspect.isclass(kind) and kind.__module__.partition('.')[0] == SCOPE:
            yield where, node
        items = node.items()
    else:
        items = enumerate(node) if isinstance(node, (list, tuple)) else ()
    for name, value in items:
        yield from parts(value, f'{where}.{name}' if where else str(name))


def defaults(kind):
    """Return the defaults of what a class takes; those of children win."""
    found = {}
    for ancestor in kind.__mro__:
        if '__init__' in vars(ancestor):
            for name, parameter in inspect.signature(ancestor.__init__).parameters.items():
                if name != 'self' and parameter.kind not in OPEN:
                    found.setdefault(name, parameter.default)
    return found


def main_parts():
    config = load_config(CONFIG)._cfg_dict
    runs = {
        'model',
        'default_hooks',
        'model_wrapper_cfg',
        'visualizer',
        'optim_wrapper',
        'train_cfg',
    }
    runs |= {name for name in config if name.endswith(('_dataloader', '_evaluator'))}
    return list(parts({name: config[name] for name in config if name in runs}))


PARTS = main_parts()


def test_the_walk_finds_the_parts():
    found = {where for where, _ in PARTS}
    assert found >= {
        'default_hooks.collapse_guard',
        'model_wrapper_cfg',
        'test_evaluator.1',
        'train_cfg',
        'train_dataloader.batch_sampler',
        'train_dataloader.dataset.datasets.emdb',
        'visualizer',
    }


@pytest.mark.parametrize('where, part', PARTS, ids=[where for where, _ in PARTS])
def test_the_config_repeats_no_default(where, part):
    known = defaults(part['type'])
    repeated = [
        name
        for name, value in part.items()
        if name not in FILLED and name in known and value == known[name]
    ]
    assert not repeated, f'`{where}` repeats defaults of {part["type"].__name__}: {repeated}'


ALONE = {
    part['type']: where
    for where, part in PARTS
    if inspect.Parameter.empty not in defaults(part['type']).values()
}
"""Classes that take nothing that has no default."""


@pytest.mark.parametrize('kind', ALONE, ids=lambda kind: kind.__name__)
def test_a_class_can_be_built_with_its_defaults(toy_root, kind):
    filled = {name: str(toy_root) for name in FILLED & set(defaults(kind))}
    if issubclass(kind, SequenceMetric):  # Needs a dataset or a protocol: either will do.
        filled['dataset'] = 'emdb2' if kind is WorldSpaceMetric else 'emdb1'
    with DefaultScope.overwrite_default_scope(SCOPE), isolated_registry():
        assert isinstance(kind(**filled), kind)
