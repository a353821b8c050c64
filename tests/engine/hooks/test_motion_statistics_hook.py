"""Motion statistics are fitted on synthetic clips, unless there are statistics already."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from gvhmr_da_mm.codecs import MotionCodec
from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.datasets import BEDLAMDataset, ClipKey, EMDBDataset, MultiSourceDataset
from gvhmr_da_mm.engine import MotionStatisticsHook
from gvhmr_da_mm.models.checkpoint_keys import ours_to_published
from tests.testing import isolated_registry, tiny_config, train

CONFIG = Path(__file__).resolve().parents[3] / 'configs' / 'gvhmr_bedlam.py'
SHRINK = {
    'model.backbone.latent_dim': 32,
    'model.backbone.num_layers': 1,
    'model.backbone.num_heads': 2,
    'model.head.latent_dim': 32,
}


class Loader:
    def __init__(self, dataset):
        self.dataset = dataset


class FakeRunner:
    """As much of a Runner as the hook looks at."""

    def __init__(self, dataset, codec):
        self.train_dataloader = Loader(dataset)
        self.model = torch.nn.Module()
        self.model.motion_codec = codec
        self.messages = []
        self.logger = self

    def info(self, message):
        self.messages.append(message)


@pytest.fixture
def dataset(toy_root):
    return MultiSourceDataset(dict(emdb=EMDBDataset(toy_root), bedlam=BEDLAMDataset(toy_root)))


def test_it_fits_the_vectors_that_training_encodes(dataset):
    runner = FakeRunner(dataset, MotionCodec())
    MotionStatisticsHook().before_train(runner)
    codec = runner.model.motion_codec
    assert codec.fitted
    (source,) = dataset.sources['synthetic']
    vectors = []
    for index in range(source.start, source.stop):
        item = dataset[ClipKey(index, 0)]
        labels = item['data_samples'].gt_instances
        names = 'body_pose betas global_orient_c R_c2gv global_orient_w transl_w'.split()
        x = codec.encode(**{name: labels[name] for name in names})
        # The last valid frame repeats the one before: its velocity is not its own.
        vectors.append(x[item['inputs']['valid']][:-1])
    x = torch.cat(vectors)
    assert x.mean(dim=0).abs().max() < 1e-3
    moving = codec.std > 2e-3
    torch.testing.assert_close(
        x.std(dim=0, correction=0)[moving], torch.ones(int(moving.sum())), atol=1e-3, rtol=1e-3
    )
    assert str(source.stop - source.start) in runner.messages[0]


def test_the_same_seed_gives_the_same_statistics(dataset):
    means = []
    for seed in (1, 1, 2):
        runner = FakeRunner(dataset, MotionCodec())
        MotionStatisticsHook(num_clips=2, seed=seed).before_train(runner)
        means.append(runner.model.motion_codec.mean)
    assert torch.equal(means[0], means[1]) and not torch.equal(means[0], means[2])


def test_statistics_that_exist_are_kept(dataset):
    codec = MotionCodec('identity')
    runner = FakeRunner(dataset, codec)
    MotionStatisticsHook().before_train(runner)
    assert not codec.mean.any() and not runner.messages


def test_real_clips_alone_cannot_give_statistics(toy_root):
    runner = FakeRunner(MultiSourceDataset(dict(emdb=EMDBDataset(toy_root))), MotionCodec())
    with pytest.raises(DataError, match="'synthetic'.*motion_codec.statistics"):
        MotionStatisticsHook().before_train(runner)


def test_impossible_num_clips_is_named():
    with pytest.raises(ConfigError, match='`num_clips`.*got 0'):
        MotionStatisticsHook(num_clips=0)


def config_of(toy_root, work_dir):
    return tiny_config(CONFIG, toy_root, work_dir, batches=1, options=SHRINK)


@pytest.fixture(scope='module')
def trained(toy_root, tmp_path_factory):
    return train(config_of(toy_root, tmp_path_factory.mktemp('statistics')))


def test_a_plain_run_fits_before_the_first_step_and_saves(trained):
    state = torch.load(Path(trained.work_dir) / 'epoch_1.pth', weights_only=False)['state_dict']
    assert state['motion_codec.fitted']
    assert torch.equal(state['motion_codec.mean'], trained.model.motion_codec.mean)


def test_published_weights_without_statistics_are_refused(toy_root, trained, tmp_path):
    path = tmp_path / 'published.ckpt'
    torch.save(dict(state_dict=ours_to_published(trained.model.state_dict())), path)
    config = config_of(toy_root, tmp_path)
    config.load_from = str(path)
    with isolated_registry(), pytest.raises(ConfigError, match='motion_codec.statistics.*npz'):
        Runner.from_cfg(config).train()


def test_published_weights_train_with_statistics_from_a_file(toy_root, trained, tmp_path):
    path, statistics = tmp_path / 'published.ckpt', tmp_path / 'statistics.npz'
    torch.save(dict(state_dict=ours_to_published(trained.model.state_dict())), path)
    codec = trained.model.motion_codec
    np.savez(statistics, mean=codec.mean + 1, std=codec.std)
    config = config_of(toy_root, tmp_path)
    config.load_from = str(path)
    config.model.motion_codec.statistics = str(statistics)
    assert torch.equal(train(config).model.motion_codec.mean, codec.mean + 1)
