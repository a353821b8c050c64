"""A small adaptation model for whole iterations."""

import copy

import pytest

from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config


@pytest.fixture(scope='module')
def built(toy_root):
    model = MODELS.build(toy_adaptation_config(toy_root))
    model.init_weights()
    for parameter in model.student.parameters():
        if not parameter.any():
            parameter.data.normal_(std=0.05)
    model.teacher.load_state_dict(model.student.state_dict())
    return model


@pytest.fixture
def model(built):
    return copy.deepcopy(built).train()


@pytest.fixture
def wrappers():
    config = dict(
        model=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        discriminator=dict(optimizer=dict(type='Adam', lr=1e-3)),
    )
    return AdaptationOptimWrapperConstructor(config)
