"""Values of flags that are neither True nor False, in calls."""

import inspect
from typing import Any, Optional, Union

import numpy as np
import pytest

from gvhmr_da_mm.apis.convert_checkpoint import convert_checkpoint
from gvhmr_da_mm.apis.inferencers import MotionInferencer
from gvhmr_da_mm.apis.publish_model import publish_model
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets.sources.write_pack import write_pack
from gvhmr_da_mm.demo import generate_demo
from gvhmr_da_mm.registry.arguments import checks_flags
from gvhmr_da_mm.structures.motion_result import RESULT_WRITERS
from gvhmr_da_mm.video.extract_features import extract_features

FRONT_DOORS = (
    MotionInferencer.__call__, MotionInferencer.recover, convert_checkpoint, publish_model,
    write_pack, generate_demo, extract_features,
)  # fmt: skip


@checks_flags
def call(
    path: str,
    fit: bool = True,
    post: Union[bool, dict] = False,
    deep: Optional[bool] = None,
    **options: Any,
) -> bool:
    return fit


@pytest.mark.parametrize('value', ['no', 'false', 0, 1, 2.5, []])
def test_only_true_and_false_are_flags(value):
    for name in ('fit', 'deep'):
        with pytest.raises(ConfigError, match=f'`call.{name}` should be True or False'):
            call('path', **{name: value})
    with pytest.raises(ConfigError, match='`call.fit` should be True or False'):
        call('path', value)


def test_what_else_an_argument_may_be_passes():
    assert not call('path', np.bool_(False), dict(a=1), deep=None, other='no')
    with pytest.raises(ConfigError, match='`call.post` should be True or False or a dict'):
        call('path', post='no')
    with pytest.raises(TypeError, match='fit'):
        call('path', True, fit=True)


def test_what_users_call_checks_its_flags():
    # Writers are called by `MotionResult.save`, with the options of the user.
    RESULT_WRITERS.import_from_location()
    found = 0
    for function in (*FRONT_DOORS, *RESULT_WRITERS.module_dict.values()):
        for name, parameter in inspect.signature(function).parameters.items():
            if 'bool' not in str(parameter.annotation) or parameter.default is parameter.empty:
                continue
            found += 1
            with pytest.raises(ConfigError, match=rf'`[\w.]+\.{name}` should be True or False'):
                function(**{name: 'no'})
    assert found > 10
