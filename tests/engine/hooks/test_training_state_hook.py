"""Config changes between a run and its resume are applied and logged, or refused by name."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from gvhmr_da_mm.core.errors import CheckpointError
from gvhmr_da_mm.engine import SafeCheckpointHook, TrainingStateHook
from gvhmr_da_mm.engine.resume_overrides import apply_overrides


def sgd(**settings):
    return dict(optimizer=dict(dict(type='SGD', lr=0.1, momentum=0.9), **settings))


@pytest.fixture
def stages(run):
    """Train an epoch, then resume to the second with other settings; return the second runner."""

    def _stages(before, after, schedules=([], [])):
        hooks = [TrainingStateHook(), SafeCheckpointHook(interval=1)]
        for epochs, wrapper, schedule in zip((1, 2), (before, after), schedules):
            runner = run(
                list(hooks),
                epochs=epochs,
                optim_wrapper=wrapper,
                param_scheduler=schedule,
                resume=epochs == 2,
            )
        return runner

    return _stages


def test_nothing_is_said_where_nothing_changed(stages, warnings_of):
    stages(sgd(), sgd())
    assert not any('config has changed' in message for message in warnings_of)


def test_another_learning_rate(stages, warnings_of):
    (group,) = stages(sgd(), sgd(lr=0.02, momentum=0.5)).optim_wrapper.optimizer.param_groups
    assert group['lr'] == 0.02 and group['momentum'] == 0.5
    said = [message for message in warnings_of if 'config has changed' in message]
    assert any('optim_wrapper.optimizer.lr: 0.1' in m and '0.02 from here' in m for m in said)
    assert any('optim_wrapper.optimizer.momentum: 0.9' in message for message in said)


def cosine(end):
    return [dict(type='CosineAnnealingLR', T_max=end, end=8, by_epoch=True)]


def test_a_scheduled_learning_rate_keeps_its_ratio(stages):
    runner = stages(sgd(), sgd(lr=0.02), (cosine(4), cosine(4)))
    expected = 0.02 * (1 + torch.tensor(torch.pi * 2 / 4).cos()) / 2  # After the second epoch.
    (group,) = runner.optim_wrapper.optimizer.param_groups
    assert group['lr'] == pytest.approx(float(expected))


def test_a_longer_schedule(stages, warnings_of):
    runner = stages(sgd(), sgd(), (cosine(2), cosine(8)))
    (group,) = runner.optim_wrapper.optimizer.param_groups
    assert runner.param_schedulers[0].T_max == 8 and group['lr'] > 0.03  # 0 with the first one.
    assert any('param_scheduler.0.T_max: 2' in message for message in warnings_of)


def test_another_optimiser(stages):
    with pytest.raises(CheckpointError, match=r'optim_wrapper.optimizer.*AdamW.*betas.*load_from'):
        stages(sgd(), dict(optimizer=dict(type='AdamW', lr=0.1)))


def test_other_groups_of_parameters(stages):
    grouped = dict(sgd(), paramwise_cfg=dict(custom_keys=dict(weight=dict(lr_mult=0.5))))
    with pytest.raises(CheckpointError, match='groups.*paramwise_cfg.*load_from'):
        stages(sgd(), grouped)


def test_one_optimiser_where_there_were_two():
    wrapper = OptimWrapper(torch.optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1))
    runner = SimpleNamespace(optim_wrapper=wrapper, param_schedulers=[])
    state = wrapper.state_dict()
    with pytest.raises(CheckpointError, match="'model', 'discriminator'.*load_from"):
        apply_overrides(runner, dict(optimizer=dict(model=state, discriminator=state)))
    assert apply_overrides(runner, dict(optimizer=state)) == []


def test_parameters_of_another_shape():
    runners = []
    for width in (2, 3):
        model = nn.Linear(width, 1)
        wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
        wrapper.update_params(model(torch.ones(1, width)).sum())
        runners.append(SimpleNamespace(optim_wrapper=wrapper, param_schedulers=[]))
    states = [dict(optimizer=runner.optim_wrapper.state_dict()) for runner in runners]
    assert apply_overrides(runners[0], states[0]) == []
    with pytest.raises(CheckpointError, match=r'\(1, 3\) has shape \(1, 2\).*load_from'):
        apply_overrides(runners[1], states[0])
