import json
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModel

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine.hooks.confidence_threshold_hook import ConfidenceThresholdHook
from gvhmr_da_mm.registry import HOOKS


@pytest.fixture
def hook():
    """One that rises in each epoch."""
    return ConfidenceThresholdHook(start=0.6, end=0.9, interval=1)


def test_default_schedule():
    hook = ConfidenceThresholdHook()
    reached = [hook.threshold_at(epoch) for epoch in (0, 99, 100, 199, 200, 10**6)]
    assert reached == [0.4, 0.4, 0.45, 0.45, 0.5, 0.5]


def test_schedule(hook):
    expected = [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.9]
    assert [hook.threshold_at(epoch) for epoch in range(8)] == expected
    assert hook.threshold_at(10**6) == 0.9
    # Not .30000000000000004: a threshold in the log is the one in the config.
    assert ConfidenceThresholdHook(0.1, 0.9, 0.1, 1).threshold_at(2) == 0.3


def test_interval_and_end():
    hook = ConfidenceThresholdHook(0.5, 0.62, 0.1, interval=3)
    assert [hook.threshold_at(i) for i in range(8)] == [0.5] * 3 + [0.6] * 3 + [0.62] * 2


def test_by_epoch(run, toy, hook):
    model = toy()
    runner = run([hook], model)
    assert model.thresholds == [0.6] * 6 + [0.65] * 6 + [0.7] * 6
    assert runner.message_hub.get_scalar('train/confidence_threshold').current() == 0.7


def test_by_iteration(run, toy):
    model = toy()
    run([ConfidenceThresholdHook(0.6, 0.9, interval=2, by_epoch=False)], model, iters=7)
    assert model.thresholds == [0.6, 0.6, 0.65, 0.65, 0.7, 0.7, 0.75]


def test_is_in_the_log(run, tmp_path, hook):
    run([hook])
    lines = next(tmp_path.glob('*/vis_data/scalars.json')).read_text().splitlines()
    logged = [json.loads(line)['confidence_threshold'] for line in lines]
    assert logged == [0.6] * 6 + [0.65] * 6 + [0.7] * 6


def test_right_after_resuming(run, toy, hook):
    run([hook], epochs=2)
    model = toy()
    run([hook], model, epochs=4, resume=True)
    assert model.thresholds == [0.7] * 6 + [0.75] * 6


def test_reaches_a_wrapped_model(hook):
    class Wrapped(torch.nn.Module):
        pass

    inner = Wrapped()
    inner.pseudo_labeler = SimpleNamespace(threshold=0.0)
    wrapper = torch.nn.DataParallel(inner)

    class Hub:
        def update_scalar(self, name, value):
            self.logged = (name, value)

    class FakeRunner:
        model, message_hub, epoch = wrapper, Hub(), 2

    hook.before_train_epoch(FakeRunner)
    assert inner.pseudo_labeler.threshold == 0.7
    assert FakeRunner.message_hub.logged == ('train/confidence_threshold', 0.7)


def test_warns_once_if_the_end_selects_nothing(run, warnings_of):
    run([ConfidenceThresholdHook(end=1.0)])
    assert sum('never exceeds 1' in message for message in warnings_of) == 1
    warnings_of.clear()
    run([ConfidenceThresholdHook()])
    assert not any('never exceeds 1' in message for message in warnings_of)


def test_an_iteration_loop_has_no_epochs(run):
    with pytest.raises(ConfigError, match='by_epoch=False'):
        run([ConfidenceThresholdHook()], iters=3)


def test_a_model_without_threshold(run):
    class Plain(BaseModel):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def forward(self, inputs, data_samples=None, mode='tensor'):
            return dict(loss=self.weight)

    with pytest.raises(ConfigError, match='Plain has no `pseudo_labeler`'):
        run([ConfidenceThresholdHook()], Plain())


@pytest.mark.parametrize(
    'kwargs, name',
    [
        (dict(start=0.9, end=0.6), '`start` <= `end`'),
        (dict(start=-0.1), '`start`'),
        (dict(step=-0.05), '`step`'),
        (dict(step=float('nan')), '`step`'),
        (dict(interval=0), 'interval'),
    ],
)
def test_impossible_arguments(kwargs, name):
    with pytest.raises(ConfigError, match=name):
        ConfidenceThresholdHook(**kwargs)


def test_registered():
    assert HOOKS.get('ConfidenceThresholdHook') is ConfidenceThresholdHook
