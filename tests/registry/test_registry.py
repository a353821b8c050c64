import subprocess
import sys
from pathlib import Path

import pytest
from mmengine import registry as mmengine_registry
from mmengine.registry import Registry
from mmpose import registry as mmpose_registry

from gvhmr_da_mm import registry

REPO_ROOT = Path(__file__).resolve().parents[2]

# Ours descend from MMEngine's directly: MMPose's import `mmpose.models` or `.visualization`.
PARENT_IS_MMENGINE = {
    'MODEL_WRAPPERS',
    'VISUALIZERS',
    'VISBACKENDS',
    'FUNCTIONS',
    'LOG_PROCESSORS',
    'INFERENCERS',
}


def registries_of(module) -> dict:
    """Return the registries that a module defines, without those it imports from MMEngine."""
    return {
        name: item
        for name, item in vars(module).items()
        if isinstance(item, Registry) and not name.startswith('MMENGINE_')
    }


MMENGINE = registries_of(mmengine_registry)
MMPOSE = registries_of(mmpose_registry)
OURS = registries_of(registry)


# Strategies are looked up by a runner that we do not use.
@pytest.mark.parametrize('name', sorted(set(MMENGINE) - {'STRATEGIES'}))
def test_every_registry_of_mmengine_has_a_child(name):
    # MMEngine warns when it builds in a scope that lacks a kind.
    assert [ours for ours in OURS.values() if MMENGINE[name] in ancestors(ours)]


@pytest.mark.parametrize('name', sorted(set(MMPOSE) - {'KEYPOINT_CODECS'}))
def test_every_registry_of_mmpose_exists(name):
    assert name in OURS


def ancestors(item: Registry) -> list:
    found = []
    while item.parent is not None:
        item = item.parent
        found.append(item)
    return found


@pytest.mark.parametrize('name', sorted(OURS))
def test_scope_and_parent(name):
    ours = OURS[name]
    parents = MMENGINE if name in PARENT_IS_MMENGINE else MMPOSE
    parent = parents['KEYPOINT_CODECS' if name == 'CODECS' else name]
    assert ours.scope == 'gvhmr_da_mm'
    assert ours.parent is parent
    assert parent.children['gvhmr_da_mm'] is ours


def test_metric_of_mmpose_is_found():
    from mmpose.evaluation import MPJPE

    assert registry.METRICS.get('mmpose.MPJPE') is MPJPE


def test_transform_of_mmpose_is_built_by_its_bare_name():
    transform = registry.TRANSFORMS.build(dict(type='PackPoseInputs', meta_keys=('id',)))
    assert type(transform).__module__.startswith('mmpose.')
    assert transform.meta_keys == ('id',)


def test_hook_and_optimizer_of_mmengine_are_found():
    assert registry.HOOKS.get('CheckpointHook').__module__.startswith('mmengine.')
    assert registry.OPTIMIZERS.get('AdamW').__module__.startswith('torch.')


def test_importing_everything_imports_no_heavy_part_of_mmpose():
    code = """
import pkgutil, sys, warnings
warnings.simplefilter('ignore')
import gvhmr_da_mm

def fail(name):
    raise
names = [m.name for m in pkgutil.walk_packages(gvhmr_da_mm.__path__, 'gvhmr_da_mm.', fail)]
for name in names:
    if not name.endswith('.__main__'):
        __import__(name)
heavy = [m for m in sys.modules if m.startswith(('mmpose.models', 'mmpose.visualization'))]
print(len(names), heavy)
"""
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=REPO_ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    count, heavy = done.stdout.strip().splitlines()[-1].split(' ', 1)
    assert int(count) > 20
    assert heavy == '[]'


def test_core_imports_no_openmmlab_package():
    code = """
import pkgutil, sys
import gvhmr_da_mm.core as core
for module in pkgutil.iter_modules(core.__path__, 'gvhmr_da_mm.core.'):
    __import__(module.name)
print([m for m in sys.modules if m.split('.')[0] in ('mmengine', 'mmcv', 'mmpose')])
"""
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=REPO_ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '[]'
