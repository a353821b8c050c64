import math

import pytest
import torch
from mmengine.evaluator import BaseMetric

from gvhmr_da_mm.engine import EarlyStoppingHook, SafeCheckpointHook
from gvhmr_da_mm.registry import METRICS

VALUES = []


@METRICS.register_module(force=True)
class Scripted(BaseMetric):
    """Results that a test has written down."""

    default_prefix = 'toy'

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        value = VALUES.pop(0)
        return dict(other=1.0) if value is None else dict(accel=value, other=1.0)


@pytest.fixture
def validated(run, monkeypatch):
    """Train with one validation an epoch whose `toy/accel` is as given."""

    def _validated(values, hooks, **kwargs):
        VALUES[:] = values
        loader = dict(
            dataset=[torch.zeros(1)],
            sampler=dict(type='DefaultSampler', shuffle=False),
            batch_size=1,
            num_workers=0,
        )
        return run(
            hooks,
            epochs=kwargs.pop('epochs', len(values)),
            val_dataloader=loader,
            val_cfg=dict(type='ValLoop'),
            val_evaluator=dict(type='Scripted'),
            **kwargs,
        )

    return _validated


def test_the_least_error_is_the_best(validated, tmp_path):
    """MMEngine takes `accel` for an accuracy, of which the largest is best."""
    validated([3.0, 1.0, 2.0], [SafeCheckpointHook(interval=1, save_best='toy/accel')])
    assert [path.name for path in tmp_path.glob('best*')] == ['best_toy_accel_epoch_2.pth']


@pytest.mark.parametrize('missing', [None, math.nan])
def test_a_metric_that_is_missing_once(validated, tmp_path, missing, warnings_of):
    validated([3.0, missing, 2.0], [SafeCheckpointHook(interval=1, save_best='toy/accel')])
    assert [path.name for path in tmp_path.glob('best*')] == ['best_toy_accel_epoch_3.pth']
    assert any('No best checkpoint by toy/accel' in message for message in warnings_of)


def test_the_first_metric_is_found(validated, tmp_path):
    validated([3.0, 1.0, 2.0], [SafeCheckpointHook(interval=1, save_best='auto')])
    assert [path.name for path in tmp_path.glob('best*')] == ['best_toy_accel_epoch_2.pth']


def test_validation_alone_saves_nothing(validated, tmp_path):
    hooks = [
        SafeCheckpointHook(save_best='toy/accel'),
        EarlyStoppingHook('toy/accel', patience=1),
    ]
    runner = validated([3.0], hooks)
    VALUES[:] = [1.0]
    for hook in runner.hooks:
        if hasattr(hook, '_trains'):
            hook._trains = False
    for path in tmp_path.glob('best*'):
        path.unlink()
    assert runner.val()['toy/accel'] == 1.0
    assert not list(tmp_path.glob('best*'))


def test_it_stops_where_errors_grow(validated):
    hook = EarlyStoppingHook('toy/accel', patience=2)
    runner = validated([3.0, 2.0, 2.5, math.nan, None, 2.5, 1.0], [hook])
    assert runner.epoch == 6 and VALUES == [1.0]


def test_its_count_goes_on_after_a_resume(validated):
    hook = EarlyStoppingHook('toy/accel', patience=2)
    hook.load_state_dict(dict(best_score=2.0, wait_count=1))
    assert hook.state_dict() == dict(best_score=2.0, wait_count=1)
    assert validated([2.5, 1.0], [hook]).epoch == 1
