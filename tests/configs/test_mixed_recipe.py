"""The published training recipe and its adaptation: what they read, and that they train."""

import math
from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.registry import DATASETS
from tests.testing import tiny_config, train
from tests.testing.tiny_run import read_log

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SOURCE, ADAPTED = CONFIGS / 'gvhmr_mixed.py', CONFIGS / 'da_mixed_emdb_3dpw.py'


def shrunk(prefix):
    return {
        f'{prefix}.backbone.latent_dim': 32,
        f'{prefix}.backbone.num_layers': 1,
        f'{prefix}.backbone.num_heads': 2,
        f'{prefix}.head.latent_dim': 32,
    }


def datasets_of(path, root):
    config = load_config(path, data_root=root)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        return DATASETS.build(config.train_dataloader.dataset).datasets


def test_the_recipe_mixes_four_labelled_datasets(mixed_root):
    datasets = datasets_of(SOURCE, mixed_root)
    assert {name: dataset.domain for name, dataset in datasets.items()} == dict(
        amass='synthetic', bedlam='synthetic', h36m='real', threedpw='real'
    )
    supervision = {n: d[0]['data_samples'].supervision for n, d in datasets.items()}
    # The world of 3DPW is not aligned with gravity.
    assert supervision == dict(amass='full', bedlam='full', h36m='full', threedpw='camera')
    assert datasets['threedpw'].split == 'train'


def test_the_schedule_is_the_published_one():
    config = load_config(SOURCE)
    assert config.train_cfg.max_epochs == 500
    assert config.optim_wrapper.optimizer.lr == 2e-4
    assert config.param_scheduler[0].milestones == [200, 350]
    assert config.train_dataloader.batch_size == 128


def test_the_adaptation_reads_no_label_of_a_real_clip(mixed_root):
    datasets = datasets_of(ADAPTED, mixed_root)
    assert {name: dataset.domain for name, dataset in datasets.items()} == dict(
        amass='synthetic', bedlam='synthetic', emdb='real', threedpw='real'
    )
    for dataset in datasets.values():
        is_real = dataset.domain == 'real'
        assert ('gt_instances' in dataset[0]['data_samples']) is not is_real
        assert not dataset.metainfo['transductive']


@pytest.fixture(scope='module')
def source(mixed_root, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('source')
    return train(
        tiny_config(SOURCE, mixed_root, work_dir, 2, batch_size=3, options=shrunk('model'))
    )


def test_two_epochs_of_the_recipe(source):
    sampler = source.train_dataloader.batch_sampler
    assert {sampler.domain(epoch, step) for epoch in (0, 1) for step in range(4)} == {
        'synthetic', 'real'
    }  # fmt: skip
    losses = [entry['loss'] for entry in read_log(source.work_dir) if 'loss' in entry]
    assert len(losses) == 8 and all(map(math.isfinite, losses))
    state = torch.load(Path(source.work_dir) / 'epoch_2.pth', weights_only=False)
    assert state['state_dict']['motion_codec.fitted']


def test_two_epochs_of_its_adaptation(source, mixed_root, tmp_path):
    options = {
        **shrunk('model.estimator'),
        'model.critic.discriminator.hidden_size': 32,
        'model.critic.discriminator.attention_size': 16,
        'model.critic.queue.size': 8,
        'load_from': str(Path(source.work_dir) / 'epoch_2.pth'),
    }
    adapted = train(tiny_config(ADAPTED, mixed_root, tmp_path, 2, options=options))
    mean = adapted.model.motion_codec.mean
    assert torch.equal(mean, source.model.motion_codec.mean)
    logged = read_log(tmp_path)
    for name in ('synthetic_loss', 'real_loss'):
        values = [entry[name] for entry in logged if name in entry]
        assert values and all(map(math.isfinite, values)), name
