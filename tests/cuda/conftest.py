"""Tests that need a GPU. With GVHMR_CUDA_DRY_RUN=1 they run small on the CPU, to try them out."""

import os

import pytest
import torch

from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_model_config

DRY_RUN = os.environ.get('GVHMR_CUDA_DRY_RUN') == '1'
SIZE = dict(latent_dim=32, num_layers=2, num_heads=2)
FULL_SIZE = dict(latent_dim=512, num_layers=12, num_heads=8)


def pytest_collection_modifyitems(items):
    if torch.cuda.is_available() or DRY_RUN:
        return
    skip = pytest.mark.skip(reason='no CUDA device; `make gpu-check` runs it where there is one')
    for item in items:
        if item.get_closest_marker('cuda'):
            item.add_marker(skip)


@pytest.fixture
def device():
    return torch.device('cpu' if DRY_RUN else 'cuda')


@pytest.fixture
def make_model(toy_root):
    """Return a function that makes a GVHMR of full size, without dropout, always the same."""

    def make(**changes):
        size = SIZE if DRY_RUN else FULL_SIZE
        model = MODELS.build(toy_model_config(toy_root, **size, **changes))
        generator = torch.Generator().manual_seed(0)
        for parameter in model.parameters():
            parameter.data.copy_(0.02 * torch.randn(parameter.shape, generator=generator))
        return model

    return make
