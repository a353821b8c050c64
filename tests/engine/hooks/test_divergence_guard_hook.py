"""Skipped updates are counted and logged, and stop the run at last."""

import copy
import math
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from torch import nn

from gvhmr_da_mm.core.errors import ConfigError, DivergenceError
from gvhmr_da_mm.engine import (
    AdaptationOptimWrapperConstructor,
    DivergenceGuardHook,
    MeanTeacherHook,
    PrecisionOptimWrapperConstructor,
)
from gvhmr_da_mm.registry import MODELS
from tests.testing import toy_adaptation_config, toy_batch


class Logger:
    def __init__(self):
        self.messages = []

    def warning(self, message):
        self.messages.append(message)


class Pair(nn.Module):
    """A student, its teacher and a critic of one layer each."""

    def __init__(self):
        super().__init__()
        self.student = nn.Linear(1, 1)
        self.critic = nn.Linear(1, 1)
        self.teacher = copy.deepcopy(self.student)
        self.updates = 0

    def update_teacher(self, momentum):
        self.updates += 1
        for mine, other in zip(self.teacher.parameters(), self.student.parameters()):
            mine.data.lerp_(other.data, momentum)


class Run:
    """The parts of a runner that the hooks use, and a training step that fails on request."""

    def __init__(self, hook, accumulate=1, **options):
        self.model = Pair()
        sgd = dict(type='SGD', lr=0.1, momentum=0.9)
        cfg = dict(
            model=dict(optimizer=sgd, accumulative_counts=accumulate, **options),
            discriminator=dict(optimizer=sgd),
        )
        wrapper = AdaptationOptimWrapperConstructor(cfg)(self.model)
        self.logger = Logger()
        self.runner = SimpleNamespace(
            iter=0, model=self.model, optim_wrapper=wrapper, logger=self.logger, work_dir='work',
            message_hub=MessageHub('divergence_guard_test'),
        )  # fmt: skip
        self.hooks = [hook, MeanTeacherHook(momentum=0.5)]
        for one in self.hooks:
            one.before_train(self.runner)

    def step(self, domain='synthetic', student=1.0, discriminator=1.0, slope=False):
        wrapper, data = self.runner.optim_wrapper, torch.ones(1, 1)
        pose = student * self.model.student(data).square().mean()
        if slope:
            bias = self.model.student.bias
            pose = pose + (bias - bias.detach()).sqrt().sum()
        wrapper['model'].update_params(pose)
        judged = discriminator * self.model.critic(data).square().mean()
        wrapper['discriminator'].update_params(judged)
        sample = SimpleNamespace(domain=domain, dataset='emdb', sequence='P1_14', start=8, end=40)
        outputs = {
            f'{domain}_loss': pose.detach(),
            f'{domain}_j3d_loss': torch.tensor(1.0),
            f'{domain}_transl_loss': pose.detach(),
            'discriminator_real_loss': judged.detach(),
        }
        for hook in self.hooks:
            hook.after_train_iter(self.runner, 0, dict(data_samples=[sample]), outputs)
        self.runner.iter += 1

    @property
    def skipped(self):
        return self.runner.message_hub.get_scalar('train/skipped_steps').current()

    def snapshot(self):
        return copy.deepcopy((self.model.state_dict(), self.runner.optim_wrapper.state_dict()))


@pytest.fixture
def run(_seed):
    MessageHub._instance_dict.pop('divergence_guard_test', None)
    return lambda *args, **kwargs: Run(DivergenceGuardHook(*args), **kwargs)


def assert_same(one, other):
    torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_student_teacher_and_optimiser_stay_as_they_are(run):
    run = run(3)
    run.step()
    before, updates = run.snapshot(), run.model.updates
    run.step('real', student=math.nan)
    after = run.snapshot()
    for part in ('student', 'teacher'):
        names = [name for name in before[0] if name.startswith(part)]
        assert_same([after[0][n] for n in names], [before[0][n] for n in names])
    assert_same(after[1]['model']['state'], before[1]['model']['state'])
    assert run.model.updates == updates and run.skipped == 1
    # The discriminator's loss was fine: it learned.
    assert not torch.equal(after[0]['critic.weight'], before[0]['critic.weight'])
    (message,) = run.logger.messages
    assert '1 in a row, 3 stop' in message
    assert 'first `real_transl_loss` = nan, `real_loss` = nan' in message
    assert 'real batch of iteration 2 (emdb/P1_14[8:40])' in message


def test_stops_after_so_many_in_a_row_with_a_diagnosis(run):
    run = run(3)
    run.step('real', student=math.inf)
    run.step('real', student=math.inf)
    run.step('real')
    run.step('real', student=math.inf)
    run.step('real', student=math.inf)
    with pytest.raises(DivergenceError) as error:
        run.step('real', slope=True)
    message = str(error.value)
    assert 'iteration 6: 3 updates of `model` in a row were skipped, 5 in all' in message
    assert 'last: the loss was finite, but gradients were not: those of student' in message
    assert 'first: the loss was not finite, first `real_transl_loss` = inf' in message
    assert 'iteration 4' in message and 'emdb/P1_14[8:40]' in message and 'work' in message


def test_good_batches_of_one_domain_do_not_hide_the_other(run):
    run = run(3)
    with pytest.raises(DivergenceError, match='iteration 6: 3 updates'):
        for _ in range(4):
            run.step('synthetic')
            run.step('real', student=math.nan)


def test_each_optimiser_counts_by_itself(run):
    run = run(2)
    run.step('real', discriminator=math.nan)
    assert 'update of `discriminator`' in run.logger.messages[0]
    assert 'first `discriminator_real_loss` = nan' in run.logger.messages[0]
    assert run.model.updates == 1
    run.step('real', student=math.nan)
    with pytest.raises(DivergenceError, match='2 updates of `model` in a row were skipped, 3 in'):
        run.step('real', student=math.nan)


def test_an_accumulation_names_the_batch_that_spoilt_it(run):
    run = run(5, accumulate=2)
    before = run.snapshot()
    run.step('synthetic', student=math.nan)
    assert run.skipped == 0
    run.step('real')
    (message,) = run.logger.messages
    assert 'synthetic batch of iteration 1' in message and 'real batch' not in message
    assert_same(run.snapshot()[0]['student.weight'], before[0]['student.weight'])
    assert run.skipped == 1 and run.model.updates == 0
    run.step('synthetic')
    run.step('real')
    assert run.skipped == 1 and run.model.updates == 1


def test_counts_are_kept_with_the_training(run):
    first = run(3, accumulate=2)
    for _ in range(4):
        first.step('real', student=math.nan)
    first.step('real', student=math.nan)
    state = first.hooks[0].state_dict()
    second = run(3, accumulate=2)
    wrapper = second.runner.optim_wrapper
    wrapper.load_state_dict(first.runner.optim_wrapper.state_dict())
    wrapper['model']._inner_count = first.runner.optim_wrapper['model'].inner_count
    second.hooks[0].before_train(second.runner)
    second.hooks[0].load_state_dict(state)
    second.runner.iter = first.runner.iter
    with pytest.raises(DivergenceError, match='3 updates .* 3 in all.*\n.*iteration 5'):
        second.step('real')


def test_a_single_optimiser_and_samples_without_names(run):
    model = nn.Linear(1, 1)
    wrapper = PrecisionOptimWrapperConstructor(dict(optimizer=dict(type='SGD', lr=0.1)))(model)
    runner = SimpleNamespace(
        iter=0, model=model, optim_wrapper=wrapper, logger=Logger(), work_dir='work',
        message_hub=MessageHub.get_current_instance(),
    )  # fmt: skip
    hook = DivergenceGuardHook(patience=1)
    hook.before_train(runner)
    wrapper.update_params(model(torch.ones(1, 1)).sum() * math.nan)
    with pytest.raises(DivergenceError, match=r'first `loss` = nan; unnamed batch'):
        hook.after_train_iter(runner, 0, torch.ones(1), dict(loss=torch.tensor(math.nan)))


def test_an_optimiser_that_cannot_be_guarded_is_named():
    model = nn.Linear(1, 1)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1))
    runner = SimpleNamespace(optim_wrapper=wrapper, logger=Logger(), model=model)
    DivergenceGuardHook().before_train(runner)
    assert 'cannot guard' in runner.logger.messages[0]


def test_impossible_patience():
    with pytest.raises(ConfigError, match='patience'):
        DivergenceGuardHook(patience=0)


@pytest.mark.parametrize('domain', ['synthetic', 'real'])
def test_the_adaptive_model_survives_a_bad_batch(toy_root, domain):
    """Through the real step: inputs with NaN, two optimisers, one of which goes on."""
    model = MODELS.build(toy_adaptation_config(toy_root))
    sgd = dict(type='SGD', lr=0.01)
    cfg = dict(model=dict(optimizer=sgd), discriminator=dict(optimizer=sgd))
    wrapper = AdaptationOptimWrapperConstructor(cfg)(model)
    hub, logger = MessageHub.get_current_instance(), Logger()
    runner = SimpleNamespace(
        iter=0, model=model, optim_wrapper=wrapper, logger=logger, work_dir='', message_hub=hub
    )
    hook = DivergenceGuardHook()
    hook.before_train(runner)
    model.train()
    good = toy_batch('synthetic')
    hook.after_train_iter(runner, 0, good, model.train_step(good, wrapper))
    before = copy.deepcopy(model.student.state_dict())
    batch = toy_batch(domain)
    for features in batch['inputs']['f_imgseq']:
        features[3] = math.nan
    hook.after_train_iter(runner, 1, batch, model.train_step(batch, wrapper))
    (message,) = [text for text in logger.messages if '`model`' in text]
    assert f'{domain} batch' in message and f'toy_{domain}/clip_0[0:16]' in message
    assert_same(model.student.state_dict(), before)
    assert all(value.isfinite().all() for value in model.state_dict().values())
    hook.after_train_iter(runner, 2, good, model.train_step(good, wrapper))
    moved = [
        name for name, value in model.student.state_dict().items() if value.ne(before[name]).any()
    ]
    assert moved
