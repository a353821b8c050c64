"""Published models are read wherever checkpoints are, whole and unchanged, or not at all."""

import json
import shutil

import pytest
import torch
from mmengine.config import Config

from gvhmr_da_mm.apis import (
    check_checkpoint,
    list_models,
    load_config,
    load_stored_config,
    read_card,
)
from gvhmr_da_mm.core.errors import CheckpointError, ConfigError, MissingFilesError
from gvhmr_da_mm.engine.safe_loading import load_from_restricted_pickle
from gvhmr_da_mm.models import model_zoo
from gvhmr_da_mm.models.checkpoint_reading import read_checkpoint
from gvhmr_da_mm.registry import MODELS
from tests.models.publishing import publish, save_checkpoint
from tests.testing import toy_model_config
from tests.tool_calls import REPO_ROOT

CONFIGS = sorted((REPO_ROOT / 'configs').glob('*.py'))
TUPLES = str.maketrans('()', '[]')


@pytest.fixture(scope='module')
def trained(toy_root, tmp_path_factory):
    """Return a checkpoint of a network with uncommon sizes."""
    path = tmp_path_factory.mktemp('trained') / 'epoch_2.pth'
    return save_checkpoint(path, toy_model_config(toy_root, num_heads=4, num_layers=1))


@pytest.fixture(scope='module')
def published(trained, tmp_path_factory):
    return publish(tmp_path_factory.mktemp('published') / 'models', trained)


@pytest.fixture
def shipped(published, tmp_path, monkeypatch):
    """Ship a copy of a published model, and return its weights file."""
    folder = tmp_path / 'weights'
    shutil.copytree(published.parent, folder)
    monkeypatch.setattr(model_zoo, 'FOLDER', folder)
    return folder / published.name


def test_the_weights_are_those_of_the_training_with_matrices_rounded(trained, shipped):
    before, after = read_checkpoint(trained).state_dict, read_checkpoint('toy-model').state_dict
    assert set(before) == set(after)
    for name, value in before.items():
        is_rounded = value.dtype == torch.float32 and value.ndim > 1
        assert after[name].dtype == value.dtype, name
        assert torch.equal(after[name], value.half().float() if is_rounded else value), name


def test_a_name_stands_for_a_checkpoint(shipped):
    assert list_models() == ['toy-model']
    by_name = read_checkpoint('toy-model').state_dict
    for again in (
        read_checkpoint(shipped).state_dict,
        load_from_restricted_pickle('toy-model')['state_dict'],
    ):
        assert all(torch.equal(by_name[name], value) for name, value in again.items())
    check_checkpoint('toy-model')
    assert read_card('toy-model').training['seed'] == 7


def test_a_file_goes_before_a_shipped_model_of_its_name(shipped, trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(trained, 'toy-model')
    assert read_checkpoint('toy-model').content['meta']['iter'] == 30


def test_a_model_is_built_without_a_config_file(shipped, toy_root):
    config = load_stored_config('toy-model', dict([('model.test_cfg', dict(flip_test=True))]))
    assert config.model.test_cfg.flip_test
    config = load_stored_config('toy-model', data_root=toy_root)
    model = MODELS.build(config.model)
    assert (model.backbone.num_heads, len(model.backbone.blocks)) == (4, 1)
    model.load_state_dict(read_checkpoint('toy-model').state_dict)


def change(shipped, **changes):
    card = shipped.with_suffix('.json')
    card.write_text(json.dumps({**json.loads(card.read_text()), **changes}))


def test_a_file_that_is_cut_short(shipped):
    shipped.write_bytes(shipped.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r'toy-model.safetensors is cut short: it has \d+ '):
        read_checkpoint('toy-model')


def test_a_file_of_another_version_of_the_model(shipped, toy_root, tmp_path):
    model = toy_model_config(toy_root, num_heads=4, num_layers=1)
    other = save_checkpoint(tmp_path / 'other.pth', model, seed=1)
    shutil.copy(publish(tmp_path / 'other', other), shipped)
    with pytest.raises(CheckpointError, match='not the file that its card describes: its sha256'):
        read_checkpoint(shipped)


def test_a_longer_file_is_another_one(shipped):
    shipped.write_bytes(shipped.read_bytes() + b' ')
    with pytest.raises(CheckpointError, match='is another file: it has .*copy both files'):
        read_checkpoint(shipped)


def test_a_format_of_another_version(shipped):
    change(shipped, version=2)
    with pytest.raises(CheckpointError, match='toy-model.json has version 2 .* expected 1: update'):
        read_checkpoint('toy-model')


def test_weights_without_a_card(shipped):
    shipped.with_suffix('.json').unlink()
    with pytest.raises(MissingFilesError, match='toy-model.json does not exist.*copy both files'):
        read_checkpoint(shipped)
    assert list_models() == []


def test_a_card_without_weights(shipped):
    shipped.unlink()
    with pytest.raises(MissingFilesError, match='toy-model.safetensors.*install again'):
        read_checkpoint('toy-model')


@pytest.mark.parametrize(
    'text, message',
    [
        ('{', 'is no JSON file'),
        ('[]', 'is no card of a model'),
        ('{"format": "other"}', "`format` should be 'gvhmr_da_mm model'"),
        ('{"format": "gvhmr_da_mm model", "version": 1}', 'the card is damaged'),
    ],
)
def test_a_damaged_card(shipped, text, message):
    shipped.with_suffix('.json').write_text(text)
    with pytest.raises(CheckpointError, match=f'toy-model.json.*{message}'):
        read_checkpoint('toy-model')


@pytest.mark.parametrize(
    'field, value, message',
    [
        ('data', 'CMU', 'json.data` should be a list'),
        ('name', 3, 'json.name` should be a text'),
        ('licence', 'MIT', "has no field 'licence'; did you mean 'license'"),
        ('config', {}, "the card is damaged .'model'"),
        ('weights', dict(bytes=1), 'the card is damaged'),
    ],
)
def test_a_card_with_a_wrong_field(shipped, field, value, message):
    change(shipped, **{field: value})
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint('toy-model')


def test_an_unknown_name_suggests_the_nearest(shipped):
    with pytest.raises(MissingFilesError, match="'toy_modl', nor a .*did you mean 'toy-model'"):
        read_checkpoint('toy_modl')


def test_an_unknown_name_where_none_is_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(model_zoo, 'FOLDER', tmp_path)
    with pytest.raises(MissingFilesError, match="no checkpoint 'best'.*this version ships none"):
        read_checkpoint('best')


@pytest.mark.parametrize(
    'kind', ['subprocess.check_output', 'os.system', 'gvhmr_da_mm.apis.dry_run']
)
def test_a_stored_config_builds_nothing_but_parts_of_this_package(shipped, kind):
    model = dict(read_card('toy-model').config['model'], head=dict(type=kind, args=['true']))
    change(shipped, config=dict(model=model))
    with pytest.raises(ConfigError, match='`model.head.type`.* should be a class of this package'):
        load_stored_config('toy-model')


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_models_of_all_configs_can_be_stored(path, toy_root, tmp_path):
    config = load_config(path, data_root=toy_root)
    meta = dict(cfg=config.pretty_text)
    torch.save(dict(state_dict=dict(a=torch.ones(1)), meta=meta), tmp_path / 'a.pth')
    stored = load_stored_config(tmp_path / 'a.pth', data_root=toy_root)
    for key in ('compile', 'cuda_graph'):  # Of the machine that trained.
        config.model.get('estimator', config.model).pop(key, None)
    texts = [Config(dict(model=of.model)).pretty_text for of in (config, stored)]
    assert texts[0].translate(TUPLES) == texts[1].translate(TUPLES)


def test_a_checkpoint_without_a_config(tmp_path):
    torch.save(dict(state_dict=dict(a=torch.ones(1))), tmp_path / 'a.pth')
    with pytest.raises(ConfigError, match='a.pth holds no config of its model'):
        load_stored_config(tmp_path / 'a.pth')


def test_a_stored_config_with_what_is_no_literal(tmp_path):
    meta = dict(cfg="model = dict(type='GVHMR', head=dict(scale=inf))")
    torch.save(dict(state_dict=dict(a=torch.ones(1)), meta=meta), tmp_path / 'a.pth')
    with pytest.raises(ConfigError, match='`model.head.scale` of the stored config is no literal'):
        load_stored_config(tmp_path / 'a.pth')
