"""A model is published whole, with a card, the same way each time; or not at all."""

import json

import pytest
import torch

from gvhmr_da_mm.apis import load_stored_config
from gvhmr_da_mm.apis.publish_model import publish_model
from gvhmr_da_mm.core.errors import CheckpointError, ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.models.checkpoint_reading import read_checkpoint
from gvhmr_da_mm.models.model_card import ModelCard
from gvhmr_da_mm.registry import MODELS
from tests.models.publishing import FACTS, publish, save_checkpoint, write_facts
from tests.testing import toy_adaptation_config, toy_model_config


@pytest.fixture(scope='module')
def checkpoint(toy_root, tmp_path_factory):
    path = tmp_path_factory.mktemp('trained') / 'epoch_2.pth'
    return save_checkpoint(path, toy_model_config(toy_root, num_layers=1))


@pytest.fixture
def changed(toy_root, tmp_path):
    """Save a checkpoint with other tensors."""

    def _changed(**tensors):
        model = toy_model_config(toy_root, num_layers=1)
        return save_checkpoint(tmp_path / 'changed.pth', model, **tensors)

    return _changed


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_card_says_what_the_model_is(checkpoint, tmp_path):
    path = publish(tmp_path / 'out', checkpoint)
    card = ModelCard.read(path)
    assert card.name == 'toy-model' and card.data == FACTS['data']
    assert (card.training['seed'], card.training['epochs'], card.training['iterations']) == (
        7,
        2,
        30,
    )
    assert card.training['datasets'] == dict(amass=dict(exclude=['*/35/*']))
    assert card.weights['bytes'] == path.stat().st_size
    tensors = read_checkpoint(checkpoint).state_dict.values()
    assert card.weights['parameters'] == sum(value.numel() for value in tensors)
    text = path.with_suffix('.json').read_text()
    assert str(tmp_path) not in text and '/somewhere' not in text and '"data_root": null' in text


def test_a_later_file_replaces_facts(checkpoint, tmp_path):
    first = write_facts(tmp_path / 'facts.json', training=dict(hours=3))
    second = tmp_path / 'more.json'
    second.write_text(json.dumps(dict(description='Another one.')))
    publish_model(checkpoint, 'toy', [first, second], tmp_path / 'out')
    card = ModelCard.read(tmp_path / 'out' / 'toy.safetensors')
    assert card.description == 'Another one.' and card.license == FACTS['license']
    assert card.training['hours'] == 3
    second.write_text(json.dumps(dict(licence='MIT')))
    with pytest.raises(DataError, match='more.json: unknown facts'):
        publish_model(checkpoint, 'toy', [first, second], tmp_path / 'again')


def test_facts_add_to_what_the_training_says(checkpoint, tmp_path):
    facts = write_facts(tmp_path / 'facts.json', training=dict(hours=3, seed=8))
    publish_model(checkpoint, 'toy', facts, tmp_path / 'out')
    training = ModelCard.read(tmp_path / 'out' / 'toy.json').training
    assert (training['hours'], training['seed'], training['epochs']) == (3, 8, 2)


def test_numbers_of_an_evaluation(checkpoint, tmp_path):
    summary = tmp_path / 'summary.json'
    mocap = dict(network=dict(pa_mpjpe=40.5))
    summary.write_text(json.dumps(dict(model='/here/epoch_2.pth', mocap=mocap)))
    path = publish(tmp_path / 'out', checkpoint, summary=summary)
    assert ModelCard.read(path).metrics == dict(mocap=mocap)


def test_publishing_again_gives_the_same_bytes(checkpoint, tmp_path):
    publish(tmp_path / 'out', checkpoint)
    first = content(tmp_path / 'out')
    publish(tmp_path / 'out', checkpoint)
    publish(tmp_path / 'other', checkpoint)
    assert content(tmp_path / 'out') == content(tmp_path / 'other') == first
    assert sorted(first) == ['toy-model.json', 'toy-model.safetensors']


def test_another_model_of_the_name_is_not_overwritten_unasked(checkpoint, changed, tmp_path):
    publish(tmp_path / 'out', checkpoint)
    first = content(tmp_path / 'out')
    other = changed(**{'head.static.fc2.bias': torch.ones(6)})
    with pytest.raises(ConfigError, match='toy-model.safetensors exists .*--overwrite'):
        publish(tmp_path / 'out', other)
    assert content(tmp_path / 'out') == first
    publish(tmp_path / 'out', other, overwrite=True)
    assert content(tmp_path / 'out') != first


@pytest.mark.parametrize('predict_on', ['student', 'teacher'])
def test_an_adapted_model_keeps_its_critic_without_recordings(toy_root, tmp_path, predict_on):
    model = toy_adaptation_config(toy_root, predict_on=predict_on)
    bias = {f'{role}.head.static.fc2.bias': torch.full((6,), number) for role, number in
            dict(student=1.0, teacher=2.0).items()}  # fmt: skip
    checkpoint = save_checkpoint(tmp_path / 'a.pth', model, **bias)
    path = publish(tmp_path / 'out', checkpoint)
    weights = read_checkpoint(path).state_dict
    parts = {'.'.join(name.split('.')[:2]) for name in weights}
    assert parts == {
        'student.backbone', 'student.head', 'student.motion_codec', 'critic.discriminator',
        'critic.calibrator',
    }, 'the queue holds recordings'  # fmt: skip
    expected = bias[f'{predict_on}.head.static.fc2.bias']
    assert torch.equal(weights['student.head.static.fc2.bias'], expected)
    for config in (model, toy_model_config(toy_root)):
        built = MODELS.build(config)
        built.load_state_dict(dict(weights))
        networks = [built.student, built.teacher] if 'estimator' in config else [built]
        assert all(torch.equal(network.head.static.fc2.bias, expected) for network in networks)


@pytest.fixture
def with_motion(toy_root, tmp_path):
    """Return the checkpoint of an adapted model whose queue holds six motions of eight."""
    model = toy_adaptation_config(toy_root)
    valid = torch.zeros(8, 120, dtype=torch.bool)
    valid[:6] = True
    queue = dict(
        body_pose=torch.arange(8.0)[:, None, None].expand(8, 120, 69).clone(),
        valid=valid,
        num_pushed=torch.tensor(6),
    )
    tensors = {f'critic.queue.{name}': value for name, value in queue.items()}
    return save_checkpoint(tmp_path / 'a.pth', model, **tensors)


def test_true_motion_is_published_if_its_terms_allow_it(with_motion, toy_root, tmp_path):
    path = publish(tmp_path / 'out', with_motion, true_motions=3)
    card = ModelCard.read(path)
    assert card.config['model']['critic']['queue']['size'] == 3
    built = MODELS.build(load_stored_config(path, data_root=toy_root).model)
    built.load_state_dict(read_checkpoint(path).state_dict)
    queue = built.critic.queue
    assert len(queue) == 3 and queue.valid.all()
    assert queue.body_pose[:, 0, 0].tolist() == [0, 2, 5]


def test_more_true_motion_than_there_is(with_motion, tmp_path):
    message = 'should have 7 true motions .* got 6: keep fewer, or train a discriminator'
    with pytest.raises(CheckpointError, match=message):
        publish(tmp_path / 'out', with_motion, true_motions=7)


def test_true_motion_of_a_model_without_a_critic(checkpoint, tmp_path):
    with pytest.raises(CheckpointError, match='should have 2 true motions .* got 0'):
        publish(tmp_path / 'out', checkpoint, true_motions=2)


def test_weights_that_are_not_finite(changed, tmp_path):
    bad = torch.full((6,), float('nan'))
    with pytest.raises(CheckpointError, match=r'changed.pth.*not finite: head.static.fc2.bias'):
        publish(tmp_path / 'out', changed(**{'head.static.fc2.bias': bad}))
    assert not (tmp_path / 'out').exists()


def test_weights_too_large_for_half_precision(changed, tmp_path):
    large = torch.full((6, 32), 7e4)
    with pytest.raises(CheckpointError, match='half precision.*head.static.fc2.weight'):
        publish(tmp_path / 'out', changed(**{'head.static.fc2.weight': large}))


def test_weights_of_another_size(changed, tmp_path):
    with pytest.raises(CheckpointError, match=r'head.static.fc2.bias: expected \(6,\), got \(5,\)'):
        publish(tmp_path / 'out', changed(**{'head.static.fc2.bias': torch.ones(5)}))


def test_buffers_of_a_body_model(changed, tmp_path):
    with pytest.raises(CheckpointError, match='no part of a published model: body_model.template'):
        publish(tmp_path / 'out', changed(**{'body_model.template': torch.ones(9, 3)}))


def test_too_many_weights(checkpoint, tmp_path):
    with pytest.raises(CheckpointError, match=r'at most 0.05 MB, got 0.2 \(backbone.keypoint_emb'):
        publish(tmp_path / 'out', checkpoint, max_mb=0.05)
    assert not (tmp_path / 'out').exists()


def test_a_config_of_its_own(checkpoint, tmp_path):
    config = tmp_path / 'own.py'
    config.write_text("""
from mmengine.config import read_base
with read_base():
    from gvhmr_da_mm.configs.gvhmr_bedlam import *
model.update(test_cfg=dict(flip_test=False))
""")
    path = publish(tmp_path / 'out', checkpoint, config=config)
    model = ModelCard.read(path).config['model']
    assert model['test_cfg'] == dict(flip_test=False, postprocess=True)
    assert model['backbone']['latent_dim'] == 32


def test_a_config_with_a_path_of_this_machine(toy_root, tmp_path):
    model = toy_model_config(toy_root)
    model['body_model']['support_dir'] = str(toy_root / 'support')
    checkpoint = save_checkpoint(tmp_path / 'a.pth', model)
    with pytest.raises(ConfigError, match='`model.body_model.support_dir=/.*--config'):
        publish(tmp_path / 'out', checkpoint)


def test_a_checkpoint_without_a_config(tmp_path):
    torch.save(dict(state_dict=dict(a=torch.ones(1))), tmp_path / 'a.pth')
    with pytest.raises(ConfigError, match='a.pth holds no config of its model: name one'):
        publish(tmp_path / 'out', tmp_path / 'a.pth')


@pytest.mark.parametrize('name', ['', 'Model', 'a/b', '../a', '.a', 'a b'])
def test_a_name_that_is_no_file(checkpoint, tmp_path, name):
    with pytest.raises(ConfigError, match='the name of a model should be'):
        publish(tmp_path / 'out', checkpoint, name=name)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(limits=[]), 'should have `limits`, a list that is not empty'),
        (dict(license=None), 'should have `license`, a str'),
        (dict(data=[dict(FACTS['data'][0], notice='')]), '`data.0` should have `notice`'),
        (dict(datum=1), "unknown facts .'datum'."),
    ],
)
def test_facts_that_are_missing(checkpoint, tmp_path, changes, message):
    facts = write_facts(tmp_path / 'facts.json', **changes)
    with pytest.raises(DataError, match=f'facts.json.*{message}'):
        publish_model(checkpoint, 'toy', facts, tmp_path)


def test_files_that_are_none(checkpoint, tmp_path):
    with pytest.raises(MissingFilesError, match='there is no file of facts'):
        publish_model(checkpoint, 'toy', tmp_path / 'facts.json', tmp_path)
    facts = write_facts(tmp_path / 'facts.json')
    with pytest.raises(DataError, match='facts.json should be a `summary.json`'):
        publish_model(checkpoint, 'toy', facts, tmp_path, summary=facts)
    (tmp_path / 'damaged.json').write_text('{')
    with pytest.raises(DataError, match='damaged.json should be a JSON file'):
        publish_model(checkpoint, 'toy', tmp_path / 'damaged.json', tmp_path)
