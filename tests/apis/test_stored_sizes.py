"""A checkpoint brings the sizes of its network."""

import pytest
import torch
from mmengine.config import Config

from gvhmr_da_mm.apis import stored_sizes, use_stored_sizes
from gvhmr_da_mm.core.errors import CheckpointError


def network(**sizes):
    backbone = dict(type='gvhmr_da_mm.models.RotaryTemporalTransformer', max_len=60, **sizes)
    width = {name: value for name, value in sizes.items() if name == 'latent_dim'}
    return dict(backbone=backbone, head=dict(type='MotionHead', **width))


@pytest.fixture(params=['plain', 'adaptive'])
def wrap(request):
    """Return the config of a plain model, or of one with student and teacher."""
    if request.param == 'plain':
        return lambda parts: dict(type='GVHMR', **parts)
    return lambda parts: dict(type='DomainAdaptiveGVHMR', estimator=parts)


@pytest.fixture
def save(tmp_path):
    def _save(model, **meta):
        path = tmp_path / 'epoch_1.pth'
        text = Config(dict(model=model)).pretty_text
        torch.save(dict(state_dict={}, meta=dict(cfg=text, **meta)), path)
        return str(path)

    return _save


@pytest.fixture
def logged(monkeypatch):
    lines = []
    monkeypatch.setattr(stored_sizes, 'print_log', lambda text, *_, **__: lines.append(text))
    return lines


def of(config):
    return config.model.get('estimator', config.model)


def test_sizes_are_those_of_the_checkpoint(wrap, save, logged):
    path = save(dict(type='GVHMR', **network(latent_dim=96, num_layers=3, num_heads=4)))
    config = Config(dict(model=wrap(network())))
    of(config).backbone.max_len = 200
    use_stored_sizes(config, path)
    backbone = of(config).backbone
    assert (backbone.latent_dim, backbone.num_layers, backbone.num_heads) == (96, 3, 4)
    assert of(config).head.latent_dim == 96
    assert backbone.max_len == 200  # Not a size of the network.
    (line,) = logged
    assert path in line and 'backbone.num_heads=4 (config: 8)' in line


def test_defaults_of_the_checkpoint_replace_sizes_of_the_config(wrap, save, logged):
    path = save(dict(type='DomainAdaptiveGVHMR', estimator=network()))
    config = Config(dict(model=wrap(network(num_heads=4))))
    use_stored_sizes(config, path)
    assert of(config).backbone.num_heads == 8
    assert len(logged) == 1


def test_nothing_is_said_where_nothing_differs(wrap, save, logged):
    model = wrap(network(num_heads=8))
    config = Config(dict(model=wrap(network())))
    before = config.pretty_text
    use_stored_sizes(config, save(model))
    assert config.pretty_text == before and not logged


def test_an_option_that_differs_is_refused_by_name(wrap, save):
    model = wrap(network(num_heads=4))
    path = save(model)
    key = 'model.estimator.backbone' if 'estimator' in model else 'model.backbone'
    config = Config(dict(model=wrap(network(num_heads=8))))
    with pytest.raises(CheckpointError, match=rf'{key}\.num_heads=4.*sets 8: leave'):
        use_stored_sizes(config, path, {f'{key}.num_heads': 8})
    use_stored_sizes(config, save(wrap(network())), {f'{key}.num_heads': 8})


@pytest.mark.parametrize(
    'text',
    [
        None,
        '',
        'model = (',
        'model = build()',
        'other = dict()',
        '__import__("os").abort()',
        'model = 1\0',
        'model = {[]: 1}',
        'model = dict(backbone=4)',
        'model = dict(estimator=4)',
        'model = ' + '(' * 5000,
        'model = ' + '-' * 5000 + '1',
        'model = ' + '[' * 90 + ']' * 90,
    ],
    ids=range(13),
)
def test_a_file_without_a_readable_config_changes_nothing(tmp_path, logged, text):
    path = tmp_path / 'weights.pth'
    torch.save(dict(state_dict={}, meta=dict(cfg=text)), path)
    config = Config(dict(model=dict(type='GVHMR', **network(num_heads=4))))
    use_stored_sizes(config, path)
    assert config.model.backbone.num_heads == 4 and not logged


def test_a_file_without_a_dict_of_facts_changes_nothing(tmp_path, logged):
    path = tmp_path / 'weights.pth'
    torch.save(dict(state_dict={}, meta=[1]), path)
    config = Config(dict(model=dict(type='GVHMR', **network(num_heads=4))))
    use_stored_sizes(config, path)
    assert config.model.backbone.num_heads == 4 and not logged


def test_a_size_that_is_no_number_changes_nothing(wrap, save, logged):
    config = Config(dict(model=wrap(network(num_heads=4))))
    use_stored_sizes(config, save(wrap(network(num_heads='many'))))
    assert of(config).backbone.num_heads == 4 and not logged


def test_a_part_of_another_type_is_left_alone(save, logged):
    parts = network(num_heads=4)
    parts['backbone']['type'] = 'MyTransformer'
    config = Config(dict(model=dict(type='GVHMR', **network(num_heads=2))))
    use_stored_sizes(config, save(dict(type='GVHMR', **parts)))
    assert config.model.backbone.num_heads == 2 and not logged


def adaptive(**critic):
    return dict(type='DomainAdaptiveGVHMR', estimator=network(), critic=critic)


@pytest.fixture
def save_critic(save):
    def _save(*parts, **critic):
        path = save(adaptive(**critic))
        content = torch.load(path)
        content['state_dict'] = {f'critic.{part}.weight': torch.zeros(1) for part in parts}
        torch.save(content, path)
        return path

    return _save


def test_the_critic_has_the_sizes_of_the_checkpoint(save_critic, logged):
    path = save_critic(
        'discriminator',
        'queue',
        discriminator=dict(type='MotionDiscriminator', hidden_size=128, pooling='max'),
        queue=dict(type='MotionQueue', size=64),
    )
    config = Config(dict(model=adaptive(type='MotionCritic', queue=dict(type='MotionQueue'))))
    use_stored_sizes(config, path)
    critic = config.model.critic
    assert (critic.discriminator.hidden_size, critic.discriminator.pooling) == (128, 'max')
    assert critic.queue.size == 64
    assert 'model.critic.queue.size=64 (config: 256)' in logged[0]


def test_an_option_for_the_critic_stands(save_critic, logged):
    stored = dict(type='MotionDiscriminator', hidden_size=128)
    path = save_critic('discriminator', discriminator=stored)
    config = Config(dict(model=adaptive(discriminator=dict(stored, hidden_size=64))))
    use_stored_sizes(config, path, {'model.critic.discriminator.hidden_size': 64})
    assert config.model.critic.discriminator.hidden_size == 64 and not logged


def test_a_queue_that_was_not_published_has_no_size(save_critic, logged):
    path = save_critic('discriminator', queue=dict(type='MotionQueue', size=64))
    config = Config(dict(model=adaptive(queue=dict(type='MotionQueue', size=256))))
    use_stored_sizes(config, path)
    assert config.model.critic.queue.size == 256 and not logged


def test_a_plain_checkpoint_says_nothing_of_the_critic(save, logged):
    config = Config(dict(model=adaptive(queue=dict(type='MotionQueue', size=9))))
    use_stored_sizes(config, save(dict(type='GVHMR', **network())))
    assert config.model.critic.queue.size == 9 and not logged
