from pathlib import Path

import pytest
import torch
from mmengine.dataset import DefaultSampler
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError
from gvhmr_da_mm.datasets import (
    AlternatingMultiSourceSampler,
    BEDLAMDataset,
    ClipKey,
    EMDBDataset,
    MultiSourceDataset,
    PackDataset,
    ThreeDPWDataset,
    multi_source,
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
        dict(bedlam=BEDLAMDataset(root), emdb=EMDBDataset(root), threedpw=ThreeDPWDataset(root)),
        weights=dict(threedpw=2, bedlam=1),
    )


def test_indices_and_keys_reach_the_right_dataset(dataset):
    assert len(dataset) == 7 + 4 + 6
    assert dataset[0]['data_samples'].dataset == 'bedlam'
    assert dataset[10]['data_samples'].dataset == 'emdb_train'
    assert dataset[-1]['data_samples'].dataset == '3dpw_train'
    assert dataset.get_data_info(11)['sequence'] == packs.THREEDPW_TRAIN[0]
    item = dataset[ClipKey(8, 5)]
    assert_same_item(item, dataset.datasets['emdb'][ClipKey(1, 5)])
    for index in (17, -18):
        with pytest.raises(IndexError):
            dataset[index]


def test_sources_and_meta_information(dataset):
    assert dataset.sources == {
        'synthetic': [('bedlam', 0, 7, 1)],
        'real': [('emdb_train', 7, 11, None), ('3dpw_train', 11, 17, 2)],
    }
    meta = dataset.metainfo
    assert meta['dataset_name'] == 'bedlam+emdb_train+3dpw_train'
    assert meta['transductive'] is False and len(meta['sources']) == 3


def test_transductive_is_inherited(root):
    both = MultiSourceDataset(
        dict(bedlam=BEDLAMDataset(root), emdb=EMDBDataset(root, transductive=True))
    )
    assert both.metainfo['transductive'] is True


def test_a_dataset_that_is_none_is_left_out(root):
    dataset = MultiSourceDataset(dict(bedlam=BEDLAMDataset(root), emdb=None), dict(emdb=2))
    assert list(dataset.datasets) == ['bedlam'] and set(dataset.sources) == {'synthetic'}


def test_what_cannot_be_sampled_is_named(root):
    bedlam = BEDLAMDataset(root)
    for nothing in ({}, dict(bedlam=None)):
        with pytest.raises(ConfigError, match='at least one dataset'):
            MultiSourceDataset(nothing)
    with pytest.raises(ConfigError, match=r'dict of datasets by name, such as .* got a list'):
        MultiSourceDataset([bedlam])
    with pytest.raises(ConfigError, match="`weights` .*'emdb', but the datasets are bedlam"):
        MultiSourceDataset(dict(bedlam=bedlam), weights=dict(emdb=2))
    with pytest.raises(ConfigError, match='positive'):
        MultiSourceDataset(dict(bedlam=bedlam), weights=dict(bedlam=0))
    with pytest.raises(ConfigError, match="'mine' has domain None"):
        MultiSourceDataset(dict(mine=torch.utils.data.TensorDataset(torch.zeros(3))))


def test_labels_of_some_real_datasets_only_are_refused(root):
    labelled = EMDBDataset(root, real_supervision='labels', lazy_init=True)
    unlabelled = [
        ThreeDPWDataset(root, lazy_init=True),
        PackDataset(root, pack='own', lazy_init=True),
    ]
    for other in unlabelled:
        names = rf"\['emdb_train'\] with and \['{other.metainfo['dataset_name']}'\] without"
        with pytest.raises(ConfigError, match=names):
            MultiSourceDataset(dict(emdb=labelled, other=other), lazy_init=True)
    MultiSourceDataset(dict(zip('ab', unlabelled)), lazy_init=True)
    own = PackDataset(root, pack='own', supervision='labels', lazy_init=True)
    MultiSourceDataset(dict(bedlam=BEDLAMDataset(root), emdb=labelled, own=own), lazy_init=True)


def test_workers_give_the_items_of_the_main_process(dataset):
    def batches(num_workers):
        sampler = AlternatingMultiSourceSampler(DefaultSampler(dataset, seed=4), batch_size=2)
        loader = DataLoader(
            dataset, batch_sampler=sampler, num_workers=num_workers, collate_fn=lambda x: x
        )
        return [item for batch in loader for item in batch]

    for alone, with_workers in zip(batches(0), batches(2)):
        assert_same_item(alone, with_workers)


@pytest.fixture
def loader_config(root):
    return dict(
        batch_size=2,
        num_workers=0,
        dataset=dict(
            type='MultiSourceDataset',
            datasets=dict(
                bedlam=dict(type='BEDLAMDataset', data_root=str(root)),
                emdb=dict(type='EMDBDataset', data_root=str(root)),
            ),
        ),
        sampler=dict(type='DefaultSampler', shuffle=True),
        batch_sampler=dict(type='AlternatingMultiSourceSampler', alternating_ratio=1),
        collate_fn=dict(type='pseudo_collate'),
    )


class Recorder(BaseModel):
    """Record the meta information of every batch."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.batches = []

    def forward(self, inputs, data_samples, mode):
        self.batches.append([(s.domain, s.sequence, s.start) for s in data_samples])
        return dict(loss=self.weight.sum() * 0)


def test_a_runner_trains_on_alternating_batches_of_each_epoch(loader_config, tmp_path):
    model = Recorder()
    runner = Runner(
        model=model,
        work_dir=str(tmp_path / 'work'),
        train_dataloader=loader_config,
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        randomness=dict(seed=11),
        default_scope='gvhmr_da_mm',
        experiment_name=tmp_path.name,
        default_hooks=dict(checkpoint=None, logger=None),
    )
    with DefaultScope.overwrite_default_scope('gvhmr_da_mm'):
        runner.train()
    sampler = runner.train_dataloader.batch_sampler
    dataset = runner.train_dataloader.dataset
    assert sampler.sampler.seed == 11 and len(sampler) == 8
    domains = [{domain for domain, _, _ in batch} for batch in model.batches]
    assert domains == [{'synthetic'}, {'real'}] * 8
    expected = [
        [
            (sample.domain, sample.sequence, sample.start)
            for sample in (dataset[key]['data_samples'] for key in sampler.batch(epoch, step))
        ]
        for epoch in range(2)
        for step in range(8)
    ]
    assert model.batches == expected


def test_mmengine_cannot_slice_the_dataset_unnoticed(loader_config):
    with DefaultScope.overwrite_default_scope('gvhmr_da_mm'):
        with pytest.raises(ConfigError, match='batches_per_epoch'):
            Runner.build_dataloader(dict(loader_config, num_batch_per_epoch=2), seed=0)


def test_an_optional_dataset_that_is_not_there_is_left_out_and_said(root, tmp_path):
    empty = tmp_path / 'empty'
    empty.mkdir()
    configs = dict(
        bedlam=dict(type='BEDLAMDataset', data_root=str(empty)),
        emdb=dict(type='EMDBDataset', data_root=str(root)),
    )
    said = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multi_source, 'print_log', lambda text, *_: said.append(text))
        dataset = MultiSourceDataset(configs, optional=['bedlam'])
    assert list(dataset.datasets) == ['emdb'] and set(dataset.sources) == {'real'}
    (line,) = said
    assert '`datasets.bedlam` is left out' in line and str(empty) in line


def test_an_optional_dataset_that_is_there_is_used(root):
    configs = {
        name: dict(type=kind, data_root=str(root))
        for name, kind in dict(bedlam='BEDLAMDataset', emdb='EMDBDataset').items()
    }
    assert list(MultiSourceDataset(configs, optional=['bedlam']).datasets) == ['bedlam', 'emdb']


def test_an_optional_dataset_in_parts_is_an_error(root):
    required = BEDLAMDataset(root, lazy_init=True).required_files()
    Path(next(file for file in required if Path(file).is_file())).unlink()
    config = dict(type='BEDLAMDataset', data_root=str(root))
    with pytest.raises(MissingFilesError):
        MultiSourceDataset(dict(bedlam=config), optional=['bedlam'])


def test_a_named_pack_is_never_optional(root):
    config = dict(type='BEDLAMDataset', data_root=str(root), pack='packs/typo')
    with pytest.raises(MissingFilesError, match='typo'):
        MultiSourceDataset(dict(bedlam=config), optional=['bedlam'])


def test_an_optional_dataset_of_no_name(root):
    config = dict(type='EMDBDataset', data_root=str(root))
    with pytest.raises(ConfigError, match="`optional` of MultiSourceDataset names 'bedlm'"):
        MultiSourceDataset(dict(emdb=config), optional=['bedlm'])
