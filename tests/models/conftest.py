"""Small models on the stand-in body, each built once, and synthetic scenes."""

import copy

import pytest

from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_model_config

from .scene import Scene, assert_same


@pytest.fixture(scope='session')
def built_toy_model(toy_root):
    model = MODELS.build(toy_model_config(toy_root))
    model.init_weights()
    return model


@pytest.fixture
def toy_model(built_toy_model):
    """Return a fresh copy of a small GVHMR with trained-looking (non-zero) gates."""
    model = copy.deepcopy(built_toy_model)
    for name, parameter in model.named_parameters():
        if parameter.ndim != 1 and not parameter.any():
            parameter.data.normal_(std=0.05)
        assert name
    return model


@pytest.fixture
def scene() -> Scene:
    return Scene.random()


@pytest.fixture
def make_scene():
    return Scene.random


@pytest.fixture
def same():
    return assert_same
