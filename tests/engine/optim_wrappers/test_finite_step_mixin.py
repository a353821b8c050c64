"""Updates that are not finite are skipped as a whole."""

import copy
import math

import pytest
import torch
from mmengine.optim.optimizer import amp_optimizer_wrapper
from torch import nn

from gvhmr_da_mm.engine import AveragingAmpOptimWrapper, PrecisionOptimWrapperConstructor

BAD = [math.nan, math.inf, -math.inf]


def build(model, guard=True, **options):
    cfg = dict(optimizer=dict(type='AdamW', lr=0.1), **options)
    wrapper = PrecisionOptimWrapperConstructor(cfg)(model)
    wrapper.guard_steps = guard
    return wrapper


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))


def loss_of(model, factor=1.0):
    return factor * model(torch.ones(2, 3)).square().mean()


def snapshot(model, wrapper):
    return copy.deepcopy((model.state_dict(), wrapper.optimizer.state_dict()))


def assert_same(one, other):
    torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=False)


@pytest.mark.parametrize('bad', BAD)
@pytest.mark.parametrize('precision', ['fp32', 'bf16'])
@pytest.mark.parametrize('clip', [None, dict(max_norm=0.5), dict(type='value', clip_value=0.1)])
def test_a_bad_loss_changes_nothing(model, bad, precision, clip):
    wrapper = build(model, precision=precision, clip_grad=clip)
    wrapper.update_params(loss_of(model))
    before = snapshot(model, wrapper)
    assert wrapper.last_skip is None
    wrapper.update_params(loss_of(model, bad))
    assert_same(snapshot(model, wrapper), before)
    assert not wrapper.last_skip.loss_is_finite and wrapper.last_skip.counts
    assert all(p.grad is None or not p.grad.any() for p in model.parameters())
    wrapper.update_params(loss_of(model))
    assert wrapper.last_skip is None and wrapper.steps_due == 3
    assert not torch.equal(model[0].weight, before[0]['0.weight'])


def test_a_bad_gradient_of_a_finite_loss_names_its_parameters(model):
    wrapper = build(model, clip_grad=dict(max_norm=0.5))
    wrapper.update_params(loss_of(model))
    before = snapshot(model, wrapper)
    # The square root of zero is zero; its slope is infinite.
    wrapper.update_params(loss_of(model) + (model[2].bias - model[2].bias.detach()).sqrt().sum())
    assert_same(snapshot(model, wrapper), before)
    skip = wrapper.last_skip
    assert skip.loss_is_finite and [p is model[2].bias for p in skip.parameters] == [True]


def test_an_infinite_loss_with_a_finite_gradient_is_skipped(model):
    wrapper = build(model)
    before = snapshot(model, wrapper)
    wrapper.update_params(loss_of(model) + math.inf)
    assert_same(snapshot(model, wrapper), before)
    assert not wrapper.last_skip.loss_is_finite and not wrapper.last_skip.parameters


@pytest.mark.parametrize('place', [0, 1])
def test_an_accumulation_is_dropped_as_a_whole(model, place):
    wrapper = build(model, accumulative_counts=2)
    before = snapshot(model, wrapper)
    factors = [1.0, 1.0]
    factors[place] = math.nan
    for factor in factors:
        wrapper.update_params(loss_of(model, factor))
    assert wrapper.last_skip is not None and wrapper.steps_due == 1
    assert all(p.grad is None or not p.grad.any() for p in model.parameters())
    assert_same(snapshot(model, wrapper), before)
    # The next accumulation is what it would have been without the bad one.
    twin = copy.deepcopy(model)
    other = build(twin, accumulative_counts=2)
    for _ in range(2):
        wrapper.update_params(loss_of(model))
        other.update_params(loss_of(twin))
    assert wrapper.last_skip is None
    assert_same(model.state_dict(), twin.state_dict())


def test_a_finite_run_is_that_of_mmengine_to_the_bit(model):
    twin = copy.deepcopy(model)
    clip = dict(max_norm=0.1)
    guarded, plain = build(model, clip_grad=dict(clip)), build(twin, False, clip_grad=dict(clip))
    for _ in range(5):
        guarded.update_params(loss_of(model))
        norm = guarded.message_hub.get_scalar('train/grad_norm').current()
        plain.update_params(loss_of(twin))
        expected = plain.message_hub.get_scalar('train/grad_norm').current()
        assert norm == pytest.approx(expected, rel=1e-6)
    assert_same(model.state_dict(), twin.state_dict())
    assert plain.steps_due == 0


def test_without_a_guard_nothing_is_skipped(model):
    wrapper = build(model, guard=False)
    wrapper.update_params(loss_of(model, math.nan))
    assert model[2].weight.isnan().any() and wrapper.last_skip is None


def test_no_infinite_norm_is_logged(model):
    wrapper = build(model, clip_grad=dict(max_norm=0.5))
    wrapper.update_params(loss_of(model))
    history = wrapper.message_hub.get_scalar('train/grad_norm').data[0]
    length = len(history)
    wrapper.update_params(loss_of(model, math.inf))
    assert len(wrapper.message_hub.get_scalar('train/grad_norm').data[0]) == length


def test_a_checkpoint_in_the_middle_remembers_what_is_spoilt(model):
    wrapper = build(model, accumulative_counts=2)
    # Its gradient is finite: only the loss could tell.
    wrapper.update_params(loss_of(model) + math.inf)
    state = copy.deepcopy(wrapper.state_dict())
    resumed = build(model, accumulative_counts=2)
    resumed.load_state_dict(state)
    resumed._inner_count = 1
    before = snapshot(model, resumed)
    resumed.update_params(loss_of(model))
    assert resumed.last_skip is not None
    assert_same(snapshot(model, resumed), before)
    # Other wrappers read the state, too, and a good one holds nothing more than theirs.
    torch.optim.AdamW(model.parameters()).load_state_dict(state)
    assert set(build(model).state_dict()) == {'state', 'param_groups'}


@pytest.fixture
def half(model, monkeypatch):
    """Build the fp16 wrapper with a scaler that works on a CPU."""
    grad_scaler = getattr(torch.amp, 'GradScaler', None)
    if grad_scaler is None:
        pytest.skip('torch before 2.3 scales on a GPU only')
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available', lambda: True)

    def _build(scale, static=False):
        wrapper = AveragingAmpOptimWrapper(
            optimizer=torch.optim.AdamW(model.parameters(), lr=0.1), clip_grad=dict(max_norm=0.5)
        )
        wrapper.loss_scaler = grad_scaler('cpu', init_scale=scale)
        wrapper._scale_update_param = scale if static else None
        wrapper.guard_steps = True
        return wrapper

    return _build


OVERFLOW = 1e38
"""Makes a finite loss whose gradient is infinite once it is scaled."""


def test_the_scaler_looks_for_its_scale_without_being_counted(model, half):
    wrapper = half(1024.0)
    before = snapshot(model, wrapper)
    scales, counted = [], []
    for _ in range(12):
        scales.append(wrapper.loss_scaler.get_scale())
        wrapper.update_params(model[2].bias.sum() * OVERFLOW)
        if wrapper.last_skip is None:
            break
        counted.append(wrapper.last_skip.counts)
    assert scales[:3] == [1024.0, 512.0, 256.0]
    assert counted and not any(counted)
    assert wrapper.last_skip is None and not torch.equal(model[2].bias, before[0]['2.bias'])


def test_a_scale_with_no_way_down_counts(model, half):
    for wrapper in (half(1.0), half(1024.0, static=True)):
        before = snapshot(model, wrapper)
        wrapper.update_params(model[2].bias.sum() * math.inf - model[2].bias.sum() * 0)
        assert not wrapper.last_skip.loss_is_finite or wrapper.last_skip.counts
        slope = (model[2].bias - model[2].bias.detach()).sqrt().sum()
        wrapper.update_params(loss_of(model) + slope)
        assert wrapper.last_skip.loss_is_finite and wrapper.last_skip.counts
        assert_same(snapshot(model, wrapper), before)


def test_a_bad_loss_does_not_shrink_the_scale(model, half):
    wrapper = half(1024.0)
    wrapper.update_params(loss_of(model, math.nan))
    assert wrapper.loss_scaler.get_scale() == 1024.0 and wrapper.last_skip.counts
    wrapper.update_params(loss_of(model))
    assert wrapper.last_skip is None
