import pytest
import torch
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets import (
    AlternatingMultiSourceSampler,
    BEDLAMDataset,
    ClipKey,
    EMDBDataset,
    MultiSourceDataset,
    ThreeDPWDataset,
)

from . import packs
from .samples import assert_same_item


@pytest.fixture
def root(tmp_path):
    packs.bedlam(tmp_path, clips=((0, 60),) * 7)
    packs.emdb(tmp_path)
    packs.threedpw(tmp_path)
    return tmp_path


@pytest.fixture
def dataset(root):
    return MultiSourceDataset(
        [BEDLAMDataset(root), EMDBDataset(root), ThreeDPWDataset(root)], weights=[1, 1, 2]
    )


def test_indices_and_keys_reach_the_right_dataset(dataset):
    assert len(dataset) == 7 + 4 + 6
    assert dataset[0]['data_samples'].dataset == 'bedlam'
    assert dataset[10]['data_samples'].dataset == 'emdb_train'
    assert dataset[-1]['data_samples'].dataset == '3dpw_train'
    assert dataset.get_data_info(11)['sequence'] == packs.THREEDPW_TRAIN[0]
    item = dataset[ClipKey(8, 5)]
    assert_same_item(item, dataset.datasets[1][ClipKey(1, 5)])
    for index in (17, -18):
        with pytest.raises(IndexError):
            dataset[index]


def test_sources_and_meta_information(dataset):
    assert dataset.sources == {
        'synthetic': [('bedlam', 0, 7, 1)],
        'real': [('emdb_train', 7, 11, 1), ('3dpw_train', 11, 17, 2)],
    }
    meta = dataset.metainfo
    assert meta['dataset_name'] == 'bedlam+emdb_train+3dpw_train'
    assert meta['transductive'] is False and len(meta['sources']) == 3


def test_transductive_is_inherited(root):
    both = MultiSourceDataset([BEDLAMDataset(root), EMDBDataset(root, transductive=True)])
    assert both.metainfo['transductive'] is True


def test_lists_that_cannot_be_sampled_are_named(root):
    bedlam = BEDLAMDataset(root)
    with pytest.raises(ConfigError, match='empty list'):
        MultiSourceDataset([])
    with pytest.raises(ConfigError, match='`weights`'):
        MultiSourceDataset([bedlam], weights=[1, 2])
    with pytest.raises(ConfigError, match='positive'):
        MultiSourceDataset([bedlam], weights=[0])
    with pytest.raises(ConfigError, match='has domain None'):
        MultiSourceDataset([torch.utils.data.TensorDataset(torch.zeros(3))])


def test_workers_give_the_items_of_the_main_process(dataset):
    def batches(num_workers):
        sampler = AlternatingMultiSourceSampler(DefaultSampler(dataset, seed=4), batch_size=2)
        loader = DataLoader(
            dataset, batch_sampler=sampler, num_workers=num_workers, collate_fn=lambda x: x
        )
        return [item for batch in loader for item in batch]

    for alone, with_workers in zip(batches(0), batches(2)):
        assert_same_item(alone, with_workers)


def test_a_runner_builds_and_seeds_it_from_a_config(root):
    config = dict(
        batch_size=2,
        num_workers=0,
        dataset=dict(
            type='MultiSourceDataset',
            datasets=[
                dict(type='BEDLAMDataset', data_root=str(root)),
                dict(type='EMDBDataset', data_root=str(root)),
            ],
        ),
        sampler=dict(type='DefaultSampler', shuffle=True),
        batch_sampler=dict(type='AlternatingMultiSourceSampler', alternating_ratio=1),
        collate_fn=dict(type='pseudo_collate'),
    )
    with DefaultScope.overwrite_default_scope('gvhmr_da_mm'):
        loader = Runner.build_dataloader(config, seed=11)
    assert loader.batch_sampler.sampler.seed == 11
    domains = []
    for batch in loader:
        domains.append({sample.domain for sample in batch['data_samples']})
        assert batch.keys() == pseudo_collate([loader.dataset[0]]).keys()
    assert domains == [{'synthetic'}, {'real'}] * 4
    loader.batch_sampler.sampler.set_epoch(1)
    assert list(loader.batch_sampler)[0] == loader.batch_sampler.batch(1, 0)
