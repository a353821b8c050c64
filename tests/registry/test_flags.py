"""Values of flags that are neither True nor False."""

import inspect
import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Optional, Union

import numpy as np
import pytest
from mmengine.registry import Registry
from torch import nn

from gvhmr_da_mm import registry
from gvhmr_da_mm.apis.inferencers import MotionInferencer, RecoverySettings
from gvhmr_da_mm.body_models import SMPLXBody
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets.packs import SequencePack
from gvhmr_da_mm.models.test_time import MotionRecovery
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.registry.arguments import checks_flags, flags_of
from gvhmr_da_mm.video.feature_job import FeatureJob
from gvhmr_da_mm.video.image_features import ImageFeatureExtractor

PACKAGES = ('apis', 'demo', 'evaluation', 'export', 'video', 'visualization')
"""Packages whose functions users call."""
INTERNAL = {
    'build_detector', 'difference', 'draw_preview', 'draw_text', 'draw_tile', 'place_in_one_world',
    'put_on_floor', 'text_size',
}  # fmt: skip
"""Functions of these whose flags the package sets itself."""
CLASSES = (
    FeatureJob, ImageFeatureExtractor, MotionRecovery, RecoverySettings, SMPLXBody, SequencePack,
)  # fmt: skip
"""Classes that are built by calls alone."""


class Base(nn.Module):
    def __init__(self, deep: Optional[bool] = None) -> None:
        super().__init__()


@MODELS.register_module(force=True)
class TakesFlags(Base):
    __module__ = 'gvhmr_da_mm.of_a_test'

    def __init__(self, fit: bool = True, post: Union[bool, dict] = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)


@checks_flags
@dataclass
class Settings:
    fit: bool = True


@checks_flags
def call(path: str, fit: bool = True) -> bool:
    return fit


@pytest.mark.parametrize('value', ['no', 'false', 0, 1, 2.5, []])
def test_only_true_and_false_are_flags(value):
    for made, name in ((TakesFlags, 'fit'), (TakesFlags, 'deep'), (Settings, 'fit'), (call, 'fit')):
        message = f'`{made.__name__}.{name}` should be True or False'
        with pytest.raises(ConfigError, match=message):
            made(**{name: value})
    with pytest.raises(ConfigError, match='`TakesFlags.fit` should be True or False'):
        TakesFlags(value)
    with pytest.raises(ConfigError, match='`call.fit` should be True or False'):
        call('path', value)


def test_what_else_an_argument_may_be_passes():
    TakesFlags(False, dict(a=1), deep=None)
    assert call('path', np.bool_(False)) == np.False_ and not Settings(False).fit
    with pytest.raises(ConfigError, match='`TakesFlags.post` should be True or False or a dict'):
        TakesFlags(post='no')


def _registered():
    kinds = (kind for kind in vars(registry).values() if isinstance(kind, Registry))
    for kind in kinds:
        kind.import_from_location()
        for target in kind.module_dict.values():
            if inspect.isclass(target) and registry.is_ours(target):
                yield target


def _functions():
    for package in PACKAGES:
        place = import_module(f'gvhmr_da_mm.{package}')
        for module in pkgutil.walk_packages(place.__path__, f'{place.__name__}.'):
            if module.name.endswith('__main__'):
                continue
            for name, target in vars(import_module(module.name)).items():
                own = inspect.isfunction(target) and target.__module__ == module.name
                if own and not name.startswith('_') and name not in INTERNAL:
                    yield target


def _optional_flags(target):
    known = inspect.signature(target).parameters
    return [name for name in flags_of(target) if known[name].default is not inspect._empty]


def test_all_registered_classes_check_their_flags():
    found = {target: flags_of(target) for target in (*_registered(), *CLASSES)}
    assert sum(map(len, found.values())) > 80
    for target, names in found.items():
        for name in names:
            with pytest.raises(ConfigError, match=rf'`\w+\.{name}` should be True or False'):
                target(**{name: 'no'})


def test_all_calls_check_their_flags():
    methods = (MotionInferencer.__call__, MotionInferencer.recover)
    found = {target: _optional_flags(target) for target in (*_functions(), *methods)}
    assert sum(map(len, found.values())) > 25
    for target, names in found.items():
        for name in names:
            with pytest.raises(ConfigError, match=rf'`[\w.]+\.{name}` should be True or False'):
                target(**{name: 'no'})


def test_annotations_of_flags_can_be_read():
    """Names for type checkers alone would hide all annotations of a function."""
    for target in {*_registered(), *CLASSES, *_functions()}:
        for name, parameter in inspect.signature(target).parameters.items():
            if 'bool' in str(parameter.annotation):
                assert name in flags_of(target), (target, name)
