"""Precisions, and accumulation that drops no gradient."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine import (
    AdaptationOptimWrapperConstructor,
    AveragingOptimWrapper,
    BFloat16OptimWrapper,
    PrecisionOptimWrapperConstructor,
)
from gvhmr_da_mm.registry import OPTIM_WRAPPER_CONSTRUCTORS

SGD = dict(type='SGD', lr=0.1)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.student = nn.Linear(2, 1)
        self.critic = nn.Linear(2, 1)
        self.teacher = nn.Linear(2, 1)


def build(cfg, model=None):
    return PrecisionOptimWrapperConstructor(cfg)(model or nn.Linear(2, 1))


def build_pair(**student):
    model = Pair()
    config = dict(model=dict(optimizer=SGD, **student), discriminator=dict(optimizer=SGD))
    return model, AdaptationOptimWrapperConstructor(config)(model)


@pytest.mark.parametrize(
    'cfg, kind',
    [({}, AveragingOptimWrapper), (dict(precision='fp32'), AveragingOptimWrapper),
     (dict(precision='bf16'), BFloat16OptimWrapper)],
)  # fmt: skip
def test_precision_chooses_the_wrapper(cfg, kind):
    assert type(build(dict(optimizer=SGD, **cfg))) is kind


def test_an_explicit_type_wins():
    wrapper = build(dict(optimizer=SGD, type='OptimWrapper', precision='bf16'))
    assert type(wrapper) is OptimWrapper


@pytest.mark.parametrize('precision, dtype', [('bf16', torch.bfloat16), ('fp32', torch.float32)])
def test_the_forward_pass_really_runs_in_it(precision, dtype):
    model = nn.Linear(2, 1)
    wrapper = build(dict(optimizer=SGD, precision=precision), model)
    with wrapper.optim_context(model):
        output = model(torch.ones(3, 2))
    assert output.dtype == dtype
    assert model(torch.ones(3, 2)).dtype == torch.float32
    before = model.weight.clone()
    wrapper.update_params(output.float().sum())
    assert model.weight.dtype == torch.float32
    torch.testing.assert_close(model.weight, before - 0.1 * 3)


def test_unknown_precision_is_named():
    with pytest.raises(ConfigError, match=r"`precision`.*\('fp32', 'fp16', 'bf16'\), got 'fp8'"):
        build(dict(optimizer=SGD, precision='fp8'))


@pytest.mark.parametrize('cfg', [dict(precision='fp16'), dict(type='AmpOptimWrapper')])
def test_half_precision_needs_a_gpu(cfg, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(ConfigError, match="needs a GPU.*'bf16'"):
        build(dict(optimizer=SGD, **cfg))


def test_the_given_config_is_left_alone():
    cfg = dict(optimizer=dict(SGD), precision='bf16', clip_grad=dict(max_norm=1.0))
    before = repr(cfg)
    build(cfg)
    assert repr(cfg) == before


def test_each_part_gets_its_own_parameters_and_the_teacher_none():
    model, wrapper = build_pair(precision='bf16')
    held = {
        part: {id(p) for group in wrapper[part].optimizer.param_groups for p in group['params']}
        for part in ('model', 'discriminator')
    }
    assert held['model'] == {id(p) for p in model.student.parameters()}
    assert held['discriminator'] == {id(p) for p in model.critic.parameters()}
    assert type(wrapper['model']) is BFloat16OptimWrapper
    assert type(wrapper['discriminator']) is AveragingOptimWrapper


def test_a_missing_config_is_named():
    with pytest.raises(ConfigError, match="'discriminator' is missing"):
        AdaptationOptimWrapperConstructor(dict(model=dict(optimizer=SGD)))(Pair())


def test_an_unknown_part_is_named():
    config = dict(model=dict(optimizer=SGD), discriminator=dict(optimizer=SGD), critic={})
    with pytest.raises(ConfigError, match='critic'):
        AdaptationOptimWrapperConstructor(config)(Pair())


def test_a_model_without_a_part_is_named():
    config = dict(model=dict(optimizer=SGD), discriminator=dict(optimizer=SGD))
    with pytest.raises(ConfigError, match='`student`.*Linear.*PrecisionOptimWrapperConstructor'):
        AdaptationOptimWrapperConstructor(config)(nn.Linear(2, 1))


@pytest.mark.parametrize('iterations', [4, 5])
def test_a_trailing_partial_accumulation_is_not_dropped(iterations):
    """Four iterations fill two accumulations; a fifth is one of its own."""
    model, wrapper = build_pair(accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, iterations)
    weight = model.student.weight
    steps, before = 0, weight.clone()
    for index in range(iterations):
        last = weight.clone()
        with wrapper['model'].optim_context(model.student):
            loss = weight.sum()
        wrapper['model'].update_params(loss)
        moved = not torch.equal(weight, last)
        assert moved == (index % 2 == 1 or index == iterations - 1), index
        steps += moved
    # Each update is the mean over its iterations, however many they are.
    torch.testing.assert_close(weight.detach(), before.detach() - 0.1 * steps)


def test_the_discriminator_never_waits_for_the_end():
    """It has no count of its own iterations, so every one of them is a step."""
    model, wrapper = build_pair(accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 5)
    for _ in range(3):
        last = model.critic.weight.clone()
        wrapper['discriminator'].update_params(model.critic.weight.sum())
        assert not torch.equal(model.critic.weight, last)


def test_an_accumulating_discriminator_is_refused():
    config = dict(
        model=dict(optimizer=SGD),
        discriminator=dict(optimizer=SGD, accumulative_counts=2),
    )
    with pytest.raises(ConfigError, match='`accumulative_counts` of the discriminator'):
        AdaptationOptimWrapperConstructor(config)(Pair())


def rates(wrapper):
    return [group['lr'] for group in wrapper.optimizer.param_groups]


@pytest.mark.parametrize(
    'key, student, critic',
    [
        ('student.weight', [0.0, 0.1], [0.1, 0.1]),
        ('student', [0.0, 0.0], [0.1, 0.1]),
        ('critic.bias', [0.1, 0.1], [0.1, 0.0]),
        ('bias', [0.1, 0.0], [0.1, 0.0]),
    ],
)
def test_settings_of_parameters_by_the_names_of_checkpoints(key, student, critic):
    config = dict(model=dict(optimizer=SGD), discriminator=dict(optimizer=SGD))
    settings = dict(custom_keys={key: dict(lr_mult=0.0)})
    wrapper = AdaptationOptimWrapperConstructor(config, settings)(Pair())
    assert rates(wrapper['model']) == student and rates(wrapper['discriminator']) == critic


@pytest.mark.parametrize('key', ['student.wieght', 'teacher.weight', 'backbone'])
def test_a_key_that_is_no_parameter(key):
    config = dict(model=dict(optimizer=SGD), discriminator=dict(optimizer=SGD))
    settings = dict(custom_keys={'student.bias': {}, key: dict(lr_mult=0.0)})
    with pytest.raises(ConfigError, match=f"custom_keys.*'{key}'.*student"):
        AdaptationOptimWrapperConstructor(config, settings)(Pair())
    with pytest.raises(ConfigError, match=f"custom_keys.*'{key}'"):
        PrecisionOptimWrapperConstructor(dict(optimizer=SGD), dict(custom_keys={key: {}}))(
            nn.Linear(2, 1)
        )


@pytest.mark.parametrize(
    'name', ['AdaptationOptimWrapperConstructor', 'PrecisionOptimWrapperConstructor']
)
def test_registered(name):
    assert OPTIM_WRAPPER_CONSTRUCTORS.get(name).__name__ == name


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(custom_key=dict(student=dict(lr_mult=0.0))), "'custom_key'; did you mean"),
        (dict(norm_decay=0.0), "'norm_decay'; did you mean 'norm_decay_mult'"),
        (
            dict(custom_keys=dict(weight=dict(lr_mul=0.0))),
            "custom_keys.weight` has no field 'lr_mul'; did you mean 'lr_mult'",
        ),
    ],
)
def test_options_that_nothing_reads_are_named(options, message):
    """MMEngine ignores them, and what should have been frozen would be trained."""
    with pytest.raises(ConfigError, match=message):
        PrecisionOptimWrapperConstructor(dict(optimizer=SGD), options)(nn.Linear(2, 1))


def test_a_group_takes_the_options_of_its_optimiser():
    options = dict(custom_keys=dict(bias=dict(lr_mult=0.0, momentum=0.5)), norm_decay_mult=0.0)
    cfg = dict(optimizer=dict(SGD, weight_decay=0.1))
    wrapper = PrecisionOptimWrapperConstructor(cfg, options)(nn.Linear(2, 1))
    groups = wrapper.optimizer.param_groups
    assert [group['momentum'] for group in groups] == [0, 0.5]
    assert [group['lr'] for group in groups] == [0.1, 0]


def test_an_option_of_one_of_two_optimisers_is_known():
    config = dict(
        model=dict(optimizer=SGD), discriminator=dict(optimizer=dict(type='Adam', lr=0.1))
    )
    options = dict(custom_keys={'student.bias': dict(momentum=0.5)})
    wrapper = AdaptationOptimWrapperConstructor(config, options)(Pair())
    momenta = [group['momentum'] for group in wrapper['model'].optimizer.param_groups]
    assert momenta == [0, 0.5]


@pytest.mark.parametrize(
    'clip', [dict(max_norm=0.5, norm_type='two'), dict(max_norm='half'), dict(type='value')]
)
def test_impossible_clipping_is_named(clip):
    with pytest.raises(ConfigError, match='clip_grad'):
        build(dict(optimizer=SGD, clip_grad=clip))
