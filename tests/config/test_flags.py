"""Flags of the training tool do what MMPose's do."""

from pathlib import Path

import pytest

from gvhmr_da_mm.apis import load_config, scale_learning_rate, use_half_precision
from gvhmr_da_mm.core.errors import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.mark.parametrize('name', ['da_tiny_bedlam_emdb_3dpw', 'gvhmr_bedlam'])
def test_half_precision(name):
    config = load_config(CONFIGS / f'{name}.py')
    use_half_precision(config)
    optimizer = config.optim_wrapper
    assert optimizer.get('model', optimizer)['precision'] == 'fp16'


def test_half_precision_of_another_optimiser():
    config = load_config(CONFIGS / 'gvhmr_bedlam.py')
    config.optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1))
    with pytest.raises(ConfigError, match='--amp.*PrecisionOptimWrapperConstructor'):
        use_half_precision(config)


def test_learning_rates_that_grow_with_the_batch():
    path = CONFIGS / 'gvhmr_bedlam.py'
    with pytest.raises(ConfigError, match='base_batch_size=N'):
        scale_learning_rate(load_config(path))
    config = load_config(path, {'auto_scale_lr.base_batch_size': 64})
    scale_learning_rate(config)
    assert config.auto_scale_lr == dict(base_batch_size=64, enable=True)


def test_validations_without_epochs_are_logged_by_iteration():
    path = CONFIGS / 'gvhmr_bedlam.py'
    assert 'log_metric_by_epoch' not in load_config(path).default_hooks.logger
    loop = {
        'train_cfg._delete_': True,
        'train_cfg.type': 'IterBasedTrainLoop',
        'train_cfg.max_iters': 10,
    }
    assert load_config(path, loop).default_hooks.logger.log_metric_by_epoch is False
    own = {**loop, 'default_hooks.logger.log_metric_by_epoch': True}
    assert load_config(path, own).default_hooks.logger.log_metric_by_epoch is True
