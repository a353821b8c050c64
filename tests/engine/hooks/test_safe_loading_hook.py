"""Checkpoints in a Runner of one's own."""

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from gvhmr_da_mm.apis import use_stored_sizes
from gvhmr_da_mm.core.errors import CheckpointError
from gvhmr_da_mm.engine.hooks.safe_loading_hook import SafeLoadingHook
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_model_config


@pytest.fixture(params=['plain', 'adaptive'])
def model(request, toy_root):
    """Return the config of a model of one network, or of student and teacher."""
    make = toy_model_config if request.param == 'plain' else toy_adaptation_config
    return Config(dict(model=make(toy_root)))


def network(config):
    return config.model.get('estimator', config.model)


@pytest.fixture
def checkpoint(model, tmp_path):
    path = tmp_path / 'epoch_1.pth'
    weights = MODELS.build(model.model).state_dict()
    torch.save(dict(state_dict=weights, meta=dict(cfg=model.pretty_text)), path)
    return str(path)


def run(config, tmp_path):
    return Runner(
        model=config.model,
        work_dir=str(tmp_path),
        custom_hooks=[SafeLoadingHook()],
        default_scope='gvhmr_da_mm',
        experiment_name=tmp_path.name,
        log_level='ERROR',
    )


def test_another_number_of_heads_is_refused_with_the_remedy(model, checkpoint, tmp_path):
    run(model, tmp_path / 'same').load_checkpoint(checkpoint)
    heads = network(model).backbone.num_heads
    network(model).backbone.num_heads = 2 * heads
    with pytest.raises(CheckpointError, match=rf'backbone\.num_heads={heads}.*use_stored_sizes'):
        run(model, tmp_path / 'other').load_checkpoint(checkpoint)
    use_stored_sizes(model, checkpoint)
    run(model, tmp_path / 'stored').load_checkpoint(checkpoint)


def test_a_width_is_refused_before_shapes_are_compared(model, checkpoint, tmp_path):
    network(model).backbone.latent_dim *= 2
    network(model).head.latent_dim *= 2
    with pytest.raises(CheckpointError, match=r'backbone\.latent_dim=.*head\.latent_dim='):
        run(model, tmp_path / 'other').load_checkpoint(checkpoint)
