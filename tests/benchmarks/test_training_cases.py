"""The cases that run by default on a GPU only, small on the CPU."""

from functools import partialmethod

import pytest
from torch import nn

from benchmarks.speed import models, training
from benchmarks.speed.case import Settings
from gvhmr_da_mm.core.errors import ConfigError

GPU_CASES = {
    case.name: case
    for case in training.cases()
    if 'cpu' not in case.default and case.build.keywords['batch'] >= training.BATCHES[-1]
}


@pytest.fixture
def settings(toy_root, monkeypatch):
    """Make networks, batches and clips small; compile without a compiler."""
    full_config, toy_batch = models.full_config, training.toy_batch

    def small_config(name, settings):
        config = full_config(name, settings)
        estimator = config.model.get('estimator', config.model)
        estimator.backbone.update(latent_dim=16, num_layers=1, num_heads=2)
        estimator.head.update(latent_dim=16)
        return config

    for module in (models, training):
        monkeypatch.setattr(module, 'full_config', small_config)
    monkeypatch.setattr(training, 'toy_batch', lambda domain, *_: toy_batch(domain, 2, 8))
    monkeypatch.setattr(nn.Module, 'compile', partialmethod(nn.Module.compile, backend='eager'))
    return Settings(toy_root, quick=True)


def test_every_kind_of_step_has_a_case_of_the_largest_batch():
    assert {case.build.func for case in GPU_CASES.values()} == {
        training.supervised_step,
        training.recorded_step,
        training.adaptation_step,
        training.real_over_synthetic,
    }


@pytest.mark.parametrize('name', GPU_CASES)
def test_a_case_of_the_gpu_runs(name, settings):
    case = GPU_CASES[name]
    pair = case.build(settings)
    pair.plain()
    if 'cpu' in case.devices:
        pair.ours()
    else:
        with pytest.raises(ConfigError, match=r'cuda_graph=True.*on cpu'):
            pair.ours()
