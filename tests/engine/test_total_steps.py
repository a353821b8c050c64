"""Schedules that end before the training are told, and no others."""

import itertools

import pytest
import torch
from mmengine.optim import OneCycleLR, StepLR

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine.total_steps import check_schedules


def build(kind, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    return kind(optimizer, **options)


def trains(schedule, steps):
    """Return whether MMEngine takes that many steps."""
    try:
        for _ in range(steps):
            schedule.step()
    except ValueError:
        return False
    return True


@pytest.mark.parametrize('by_epoch', [True, False])
def test_it_is_told_where_mmengine_would_stop(by_epoch):
    outcomes = set()
    for total, begin, end, steps in itertools.product((2, 4), (0, 1, 3), (4, 6, 100), range(8)):
        options = dict(eta_max=1.0, total_steps=total, begin=begin, end=end, by_epoch=by_epoch)
        schedule = build(OneCycleLR, **options)
        lengths = (steps, 100) if by_epoch else (0, steps)
        try:
            check_schedules([schedule], *lengths)
            told = False
        except ConfigError:
            told = True
        assert told != trains(schedule, steps), options
        outcomes.add(told)
    assert outcomes == {True, False}


def test_the_schedule_is_named():
    one_cycle = build(OneCycleLR, eta_max=1.0, total_steps=20, by_epoch=False)
    schedules = dict(model=[build(StepLR, step_size=1), one_cycle], discriminator=[])
    message = '`param_scheduler.model.1` has 20 steps.*has 30 iterations: set `total_steps` to 30'
    with pytest.raises(ConfigError, match=message):
        check_schedules(schedules, 3, 30)
    check_schedules(schedules, 3, 20)
    check_schedules(None, 3, 20)
