import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

from gvhmr_da_mm.core.errors import CheckpointError, ConfigError
from gvhmr_da_mm.engine.hooks import SourceFreeHook, TrainingStateHook
from gvhmr_da_mm.models.adaptation import MotionCritic


@pytest.fixture
def with_critic(toy):
    """Return a function that gives a toy model a critic whose queue holds so many motions."""

    def _with_critic(motions):
        model = toy()
        small = dict(type='MotionDiscriminator', hidden_size=4, attention_size=4)
        queue = dict(type='MotionQueue', size=4, max_len=3)
        critic = MotionCritic(discriminator=small, queue=queue)
        if motions:
            critic.queue.push(torch.zeros(motions, 3, 69), torch.ones(motions, 3).bool())
        del model.critic
        model.critic = critic
        return model

    return _with_critic


def expected(start, source, strength, updates):
    weight = start
    for _ in range(updates):
        weight -= 0.1 * 2 * (weight - 1)
        weight += strength * (source - weight)
    return weight


def test_every_update_is_pulled_towards_the_start(run, toy):
    model = toy()
    torch.nn.init.constant_(model.weight, 3.0)
    run([SourceFreeHook(strength=0.25)], model, epochs=1)
    assert model.weight.item() == pytest.approx(expected(3.0, 3.0, 0.25, 6))


def test_only_updates_of_the_student_are_pulled(run, toy):
    model = toy()
    model.student_every = 3
    wrapper = OptimWrapperDict(
        model=OptimWrapper(torch.optim.SGD([model.weight], 0.1)),
        discriminator=OptimWrapper(torch.optim.SGD([model.critic], 0.1)),
    )
    run([SourceFreeHook(strength=0.25)], model, epochs=1, optim_wrapper=wrapper)
    assert model.weight.item() == pytest.approx(expected(0.0, 0.0, 0.25, 2))


def test_a_resumed_run_is_pulled_towards_the_source_not_its_own_start(run, toy):
    hooks = [SourceFreeHook(strength=0.25), TrainingStateHook()]
    runner = run(hooks, epochs=1)
    state = hooks[0].state_dict()
    assert state['source']['weight'].item() == 0
    again = SourceFreeHook(strength=0.25)
    again.before_train(runner)
    assert again.state_dict()['source']['weight'] == runner.model.weight != 0
    again.load_state_dict(state)
    assert again.state_dict()['source']['weight'].item() == 0


def test_labelled_clips_leave_nothing_to_do(run, toy):
    class Labelled(list):
        sources = dict(synthetic=[('bedlam', 0, 6, None)])

    model, hook = toy(), SourceFreeHook(strength=0.25)
    run([hook], model, epochs=1, dataset=Labelled(torch.zeros(1) for _ in range(6)))
    assert model.weight.item() == pytest.approx(expected(0.0, 0.0, 0, 6))
    assert hook.state_dict() == dict(source={})


def test_without_true_motion_the_error_names_the_remedies(run, with_critic):
    remedies = r'critic_keypoints_s_cmu\.py.*BEDLAM.*data root.*model\.critic=None'
    with pytest.raises(CheckpointError, match=remedies):
        run([SourceFreeHook()], with_critic(0), epochs=1)


def test_stored_true_motion_is_enough(run, with_critic):
    hook = SourceFreeHook(strength=0.25)
    wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
    run([hook], with_critic(2), epochs=1, optim_wrapper=wrapper)
    assert hook.state_dict()['source']


@pytest.mark.parametrize('strength', [-0.1, 1])
def test_an_impossible_strength(strength):
    with pytest.raises(ConfigError, match='`strength` of SourceFreeHook should be in'):
        SourceFreeHook(strength=strength)
