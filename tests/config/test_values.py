"""Impossible values are reported when a config is read, by the dotted key of the field."""

import copy
from pathlib import Path

import pytest
from mmengine.config import Config

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.config.values import check_config
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.registry import MODELS

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'


@pytest.fixture(scope='module')
def sound():
    return load_config(CONFIG)._cfg_dict.to_dict()


def changed(config, key, value):
    config = copy.deepcopy(config)
    node = config
    *parents, last = key.split('.')
    for part in parents:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[int(last) if isinstance(node, list) else last] = value
    return config


def test_a_sound_config_passes(sound):
    check_config(sound)
    check_config(Config(sound))


@pytest.mark.parametrize(
    'key, value',
    [
        ('model.estimator.backbone.latent_dim', '64'),
        ('model.pseudo_labeler.num_augmentations', 1.5),
        ('model.pseudo_labeler.views', 'flip'),
        ('model.estimator.backbone.type', 'NoSuchThing'),
        ('model.estimator.backbone.type', ''),
        ('model.estimator.backbone.type', 7),
        ('model', [1]),
        ('model.student_view', {'a': 1}),
        ('model.estimator.backbone', {}),
        ('model.pseudo_labeler.views', [{'a': 1}]),
        ('model.losses', {'contact': {'a': 1}}),
        ('default_hooks.confidence_threshold.interval', 'ten'),
        ('custom_hooks', ['hook']),
        ('custom_hooks', [{'interval': 3}]),
        ('custom_hooks', 3),
        ('default_hooks.logger.interval', 'often'),
        ('default_hooks.logger', -1),
        ('train_dataloader.batch_size', 0),
        ('train_dataloader.num_workers', -1),
        ('train_dataloader.persistent_workers', True),
        ('train_dataloader.prefetch_factor', 4),
        ('train_dataloader.batch_sizes', 4),
        ('train_dataloader.sampler', {'shuffle': True}),
        ('train_dataloader.dataset', []),
        ('train_dataloader.dataset.datasets.bedlam.min_len', 'sixty'),
        ('train_cfg.max_epochs', -10),
        ('train_cfg.val_interval', 0),
        ('optim_wrapper.model.optimizer.lr', 'fast'),
        ('optim_wrapper.model.optimizer.lr', -1e-4),
        ('optim_wrapper.model.optimizer.lrs', 1e-4),
        ('optim_wrapper.model.clip_grad.max_norm', 0),
        ('optim_wrapper.model.accumulative_counts', 0),
        ('randomness.seed', 'lucky'),
        ('randomness.sede', 1),
        ('randomness.deterministic', 'yes'),
        ('env_cfg.cudnn_benchmrk', True),
        ('env_cfg.mp_cfg.mp_start_method', 'forks'),
        ('custom_hooks', [{'type': 'EMAHook', 'priority': 'VERYLOW'}]),
        ('default_hooks.logger.priority', 200),
        ('train_cfg.dynamic_intervals', [(1, 0)]),
        ('train_cfg.dynamic_intervals', [1, 2]),
        ('train_dataloader.timeout', -1),
        ('param_scheduler', [{'type': 'CosineAnnealingLR', 'T_max': 0}]),
        ('param_scheduler', [{'type': 'LinearLR', 'start_factor': 0}]),
        ('param_scheduler', [{'type': 'MultiStepLR', 'milestones': ['ten']}]),
        ('param_scheduler', [{'type': 'StepLR', 'step_size': 0}]),
        ('test_evaluator.0', 'CameraSpaceMetric'),
        ('log_processor.custom_cfg', [dict(data_src='loss', method_name='means')]),
        ('log_processor.custom_cfg', [dict(data_src='loss')]),
        ('log_processor.custom_cfg', [dict(method_name='mean')]),
        ('log_processor.custom_cfg', [dict(data_src='a', method_name='current', window_size=2)]),
        ('log_processor.custom_cfg', [dict(data_src='a', method_name='max', window_size='all')]),
        ('log_processor.custom_cfg', [dict(data_src='a', method_name='max', window_size=0)]),
        ('log_processor.custom_cfg', dict(data_src='loss', method_name='max')),
    ],
)
def test_impossible_values_are_named(sound, key, value):
    with pytest.raises(ConfigError) as error:
        check_config(changed(sound, key, value))
    assert key.rpartition('.')[2] in str(error.value)


def test_a_part_without_a_type_is_named_by_its_path(sound):
    with pytest.raises(ConfigError, match='`model.student_view` should have a `type`'):
        check_config(changed(sound, 'model.student_view', {'a': 1}))
    check_config(changed(sound, 'model.student_view', None))
    check_config(changed(sound, 'model.estimator.test_cfg', {'flip_test': False}))


@pytest.mark.parametrize(
    'key, value',
    [
        ('optim_wrapper.model.clip_grad', dict(type='value', clip_value=0.1)),
        ('optim_wrapper.model.clip_grad', dict(type='norm', max_norm=0.5)),
        ('train_cfg.dynamic_intervals', [(0, 5), (20, 1)]),
        ('custom_hooks', [dict(type='EMAHook', priority='LOWEST')]),
        ('custom_hooks', [dict(type='EMAHook', priority=49)]),
        ('randomness.deterministic', True),
        ('param_scheduler', [dict(type='MultiStepLR', milestones=[1, 2])]),
        ('log_processor.custom_cfg', [dict(data_src='a', method_name='max', window_size='epoch')]),
        ('log_processor.custom_cfg', [dict(data_src='a', method_name='current', log_name='b')]),
    ],
)
def test_possible_values_pass(sound, key, value):
    check_config(changed(sound, key, value))


def test_an_unknown_statistic_of_logs_is_told_with_the_nearest(sound):
    entries = [dict(data_src='loss', method_name='means')]
    with pytest.raises(ConfigError, match="statistic 'means' of logs; did you mean 'mean'"):
        check_config(changed(sound, 'log_processor.custom_cfg', entries))


def test_logs_without_epochs_have_no_window_of_an_epoch(sound):
    sound = changed(sound, 'log_processor.by_epoch', False)
    for window in (dict(window_size='epoch'), {}):
        entries = [dict(data_src='loss', method_name='mean', **window)]
        with pytest.raises(ConfigError, match='custom_cfg.0.window_size'):
            check_config(changed(sound, 'log_processor.custom_cfg', entries))


def test_what_a_loop_needs_is_asked_for(sound):
    config = copy.deepcopy(sound)
    del config['train_cfg']['max_epochs']
    with pytest.raises(ConfigError, match="`train_cfg` should have a field 'max_epochs'"):
        check_config(config)
    config = copy.deepcopy(sound)
    del config['train_dataloader']['dataset']
    with pytest.raises(ConfigError, match='`train_dataloader` should have a `dataset`'):
        check_config(config)


def test_overrides_are_checked():
    with pytest.raises(ConfigError, match='`model.critic.queue.size` should be a whole number'):
        load_config(CONFIG, {'model.critic.queue.size': 'many'})


@pytest.mark.parametrize(
    'config, message',
    [
        (dict(type='MotionHead', latent_dims=3), "no field 'latent_dims'; did you mean"),
        (dict(type='MotionHead', latent_dim='3'), '`MotionHead.latent_dim` should be a whole'),
        (dict(type='NoSuchThing'), "no model of type 'NoSuchThing'"),
        (dict(latent_dim=3), 'a dict with a `type`'),
        ('MotionHead', 'a dict with a `type`'),
    ],
)
def test_building_checks_as_well(config, message):
    with pytest.raises(ConfigError, match=message):
        MODELS.build(config)
