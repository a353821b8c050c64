"""Loaded weights fit, or an error lists the differences."""

import copy
import re

import pytest
import torch
from mmengine.runner.checkpoint import _load_checkpoint_to_model

from gvhmr_da_mm.core.errors import CheckpointError
from gvhmr_da_mm.models import checkpoint_guard
from gvhmr_da_mm.models.checkpoint_keys import ours_to_published
from gvhmr_da_mm.models.checkpoint_upgrade import upgrade_state_dict
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_model_config


def statistics(seed: int) -> dict:
    rng = torch.Generator().manual_seed(seed)
    mean, std = torch.randn(151, generator=rng), torch.rand(151, generator=rng) + 0.1
    return dict(mean=mean.numpy(), std=std.numpy())


def build(config: dict, seed: int):
    torch.manual_seed(seed)
    model = MODELS.build(config)
    model.init_weights()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.1)
    return model


@pytest.fixture(scope='module')
def plain(toy_root):
    return build(toy_model_config(toy_root, statistics=statistics(1)), seed=1)


@pytest.fixture(scope='module')
def adaptive(toy_root):
    estimator = toy_model_config(toy_root, statistics=statistics(2))
    return build(toy_adaptation_config(toy_root, estimator=estimator), seed=2)


@pytest.fixture(params=['torch', 'mmengine'])
def load(request):
    """Load a state dict by torch, or by MMEngine as `load_from`, `resume` and the test tool do."""

    def _load(model, state_dict):
        state_dict = copy.copy(state_dict)
        if request.param == 'torch':
            model.load_state_dict(state_dict)
        else:
            _load_checkpoint_to_model(model, dict(state_dict=state_dict))

    return _load


def assert_same(state, other):
    assert set(state) == set(other)
    different = [name for name in state if not torch.equal(state[name], other[name])]
    assert not different


def test_own_checkpoints_load(plain, adaptive, load, toy_root):
    for model in (plain, adaptive):
        fresh = copy.deepcopy(model)
        for parameter in fresh.parameters():
            parameter.data.zero_()
        load(fresh, model.state_dict())
        assert_same(fresh.state_dict(), model.state_dict())


def test_an_adaptive_model_starts_student_and_teacher_from_a_plain_one(plain, adaptive, load):
    model = copy.deepcopy(adaptive)
    load(model, plain.state_dict())
    for part in (model.student, model.teacher):
        assert_same(part.state_dict(), plain.state_dict())
    # What the plain model does not have stays as it was.
    assert_same(model.critic.state_dict(), adaptive.critic.state_dict())


def test_a_student_without_teacher_starts_both(adaptive, load):
    state = {n: v for n, v in adaptive.state_dict().items() if not n.startswith('teacher.')}
    model = copy.deepcopy(adaptive)
    for parameter in model.parameters():
        parameter.data.zero_()
    load(model, state)
    assert_same(model.student.state_dict(), adaptive.student.state_dict())
    assert_same(model.teacher.state_dict(), adaptive.student.state_dict())
    assert_same(model.critic.state_dict(), adaptive.critic.state_dict())


def test_a_plain_model_takes_the_student_of_an_adaptive_one(plain, adaptive, load):
    model = copy.deepcopy(plain)
    load(model, adaptive.state_dict())
    assert_same(model.state_dict(), adaptive.student.state_dict())
    assert not torch.equal(model.motion_codec.mean, plain.motion_codec.mean)


@pytest.mark.parametrize('statistics_known', [True, False])
def test_published_weights_load_in_both(toy_root, plain, load, statistics_known):
    published = ours_to_published(plain.state_dict())
    assert all(name.startswith('pipeline.denoiser3d.') for name in published)
    known = statistics(3) if statistics_known else None
    estimator = toy_model_config(toy_root, statistics=known)
    for config in (estimator, toy_adaptation_config(toy_root, estimator=estimator)):
        model = build(config, seed=4)
        load(model, published)
        networks = [model] if config is estimator else [model.student, model.teacher]
        for network in networks:
            assert_same(ours_to_published(network.state_dict()), published)
        codec = model.motion_codec
        # The statistics are those of the config, and nobody may fit others to these weights.
        assert bool(codec.fitted) == statistics_known
        assert codec.expects_statistics
        if statistics_known:
            torch.testing.assert_close(codec.mean, torch.from_numpy(known['mean']).double())


@pytest.mark.parametrize('prefix', ['', 'student.'])
def test_a_fitted_alignment_of_an_earlier_version_is_not_dropped_silently(
    plain, adaptive, load, prefix
):
    source = adaptive if prefix else plain
    state = source.state_dict()
    state[f'{prefix}feature_alignment.shift'] = torch.ones(1024)
    state[f'{prefix}feature_alignment.fitted'] = torch.tensor(False)
    load(copy.deepcopy(source), state)
    state[f'{prefix}feature_alignment.fitted'] = torch.tensor(True)
    with pytest.raises(CheckpointError, match='fitted `feature_alignment`.*train anew'):
        load(copy.deepcopy(source), state)


def test_names_of_an_earlier_version_are_renamed(adaptive, load):
    present = adaptive.state_dict()
    former = {}
    for name, value in present.items():
        for new, old in (('critic.queue.', 'motion_queue.'), ('critic.', '')):
            name = old + name[len(new) :] if name.startswith(new) else name
        former[name] = value
    assert {'discriminator.num_observed', 'motion_queue.valid', 'calibrator.num_seen'} <= set(
        former
    )
    fresh = copy.deepcopy(adaptive)
    for tensor in (*fresh.parameters(), *fresh.buffers()):
        tensor.data.zero_()
    load(fresh, former)
    assert_same(fresh.state_dict(), present)


@pytest.mark.parametrize('position', ['', 'backbone.', 'head.motion.'])
def test_names_of_a_compiled_model_load(plain, adaptive, load, position):
    for model, role in ((plain, ''), (adaptive, 'student.')):
        start = role + position
        state = {
            start + '_orig_mod.' + name[len(start) :] if name.startswith(start) else name: value
            for name, value in model.state_dict().items()
        }
        fresh = copy.deepcopy(model)
        for parameter in fresh.parameters():
            parameter.data.zero_()
        load(fresh, state)
        assert_same(fresh.state_dict(), model.state_dict())


CRITIC_CHANGES = {
    'queue': dict(queue=dict(type='MotionQueue', size=5)),
    'discriminator': dict(discriminator=dict(type='MotionDiscriminator', hidden_size=12)),
}


@pytest.mark.parametrize('part', CRITIC_CHANGES)
def test_a_critic_of_another_size_starts_anew_and_is_named(
    toy_root, adaptive, load, part, monkeypatch
):
    logged = []
    monkeypatch.setattr(checkpoint_guard, 'print_log', lambda text, *_: logged.append(text))
    estimator = toy_model_config(toy_root, statistics=statistics(2))
    config = toy_adaptation_config(toy_root, estimator=estimator, critic=CRITIC_CHANGES[part])
    model = build(config, seed=5)
    before = {name: value.clone() for name, value in model.critic.state_dict().items()}
    load(model, adaptive.state_dict())
    assert_same(model.student.state_dict(), adaptive.student.state_dict())
    assert_same(model.teacher.state_dict(), adaptive.teacher.state_dict())
    saved = adaptive.critic.state_dict()
    for name, value in model.critic.state_dict().items():
        anew = name.startswith('queue.') == (part == 'queue')
        assert torch.equal(value, before[name] if anew else saved[name]), name
    assert len(logged) == 1
    assert f'`model.critic.{part}`' in logged[0] and 'starts anew' in logged[0]


def test_a_model_without_critic_takes_an_adapted_one(toy_root, adaptive, load):
    estimator = toy_model_config(toy_root, statistics=statistics(2))
    config = toy_adaptation_config(toy_root, estimator=estimator)
    config.update(critic=None)
    config['pseudo_labeler']['confidence'] = dict(
        type='CombinedConfidence', weights=dict(reprojection=1.0)
    )
    model = build(config, seed=6)
    load(model, adaptive.state_dict())
    assert_same(model.student.state_dict(), adaptive.student.state_dict())


@pytest.mark.parametrize('source', ['plain', 'adaptive'])
def test_all_parts_that_differ_are_named_as_in_the_config(toy_root, plain, adaptive, load, source):
    wide = toy_model_config(toy_root, latent_dim=48)
    adapted = toy_adaptation_config(toy_root, estimator=wide)
    state = build(adapted if source == 'adaptive' else wide, seed=8).state_dict()
    for model, where in ((plain, 'model'), (adaptive, 'model.estimator')):
        with pytest.raises(CheckpointError) as error:
            load(copy.deepcopy(model), state)
        assert f'of `{where}.backbone`, `{where}.head` as there' in str(error.value)


@pytest.mark.parametrize('target', ['plain', 'adaptive'])
@pytest.mark.parametrize('source', ['plain', 'adaptive', 'published'])
def test_another_architecture_is_refused(toy_root, load, plain, adaptive, source, target):
    wide = toy_model_config(toy_root, latent_dim=48)
    other = build(
        toy_adaptation_config(toy_root, estimator=wide) if source == 'adaptive' else wide, seed=8
    )
    state = other.state_dict()
    if source == 'published':
        state = ours_to_published(state)
    model = copy.deepcopy(plain if target == 'plain' else adaptive)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as error:
        load(model, state)
    message = str(error.value)
    assert 'of another shape' in message
    assert 'backbone.' in message and '32' in message and '48' in message
    assert 'latent_dim' in message
    assert_same(model.state_dict(), before)


def test_fewer_layers_are_named_as_missing(toy_root, plain, load):
    shallow = build(toy_model_config(toy_root, num_layers=1), seed=9)
    with pytest.raises(CheckpointError, match=r'missing: .*backbone\.blocks\.1\.'):
        load(copy.deepcopy(plain), shallow.state_dict())


def test_more_layers_are_not_cut_off_silently(toy_root, plain, load):
    deep = build(toy_model_config(toy_root, num_layers=3), seed=9)
    with pytest.raises(CheckpointError, match=r'backbone\.blocks\.2\.'):
        load(copy.deepcopy(plain), deep.state_dict())


def test_something_else_altogether_is_refused(plain, adaptive, load):
    for model in (plain, adaptive):
        with pytest.raises(CheckpointError, match='does not fit'):
            load(copy.deepcopy(model), {'layer.weight': torch.zeros(3)})


def test_a_damaged_published_file_is_refused(toy_root, plain, load):
    published = ours_to_published(plain.state_dict())
    name = sorted(published)[3]
    del published[name]
    with pytest.raises(CheckpointError, match=name.rpartition('.')[2]):
        load(copy.deepcopy(plain), published)


def test_the_given_state_dict_is_left_alone_by_mmengine(plain, adaptive):
    state = adaptive.state_dict()
    names = set(state)
    _load_checkpoint_to_model(copy.deepcopy(plain), dict(state_dict=state))
    assert set(state) == names


def test_discriminators_whose_lstm_was_one_module_are_loaded(adaptive):
    old = {
        re.sub(r'lstm\.(\d+)\.(\w+)0$', r'lstm.\2\1', name): value
        for name, value in adaptive.state_dict().items()
    }
    assert 'critic.discriminator.lstm.weight_ih_l0' in old
    upgraded = dict(old)
    upgrade_state_dict(upgraded)
    assert upgraded.keys() == adaptive.state_dict().keys()
    adaptive.load_state_dict(dict(old))
