"""Batches stacked in a worker equal those that are not."""

import copy
import pickle

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch.utils.data import DataLoader

from gvhmr_da_mm.datasets import BEDLAMDataset, ClipKey, collate_clips
from gvhmr_da_mm.datasets.collate import ClipInputs
from gvhmr_da_mm.models import MotionDataPreprocessor
from gvhmr_da_mm.registry import FUNCTIONS
from gvhmr_da_mm.structures import ClipSamples


class Items(list):
    """A list is a dataset."""


@pytest.fixture(scope='module')
def items(toy_root):
    dataset = BEDLAMDataset(toy_root)
    return [dataset[ClipKey(index, 7)] for index in (0, 1, 2)]


def assert_same_sample(sample, expected):
    assert type(sample) is PoseDataSample
    assert sample.metainfo == expected.metainfo
    assert sample.keys() == expected.keys()
    for name, value in expected.get('gt_instances', {}).items():
        assert torch.equal(sample.gt_instances[name], value), name
    if 'gt_instances' in expected:
        assert len(sample.gt_instances) == len(expected.gt_instances)


def assert_same_batch(batch, items):
    expected = MotionDataPreprocessor()(pseudo_collate(items))
    batch = MotionDataPreprocessor()(batch)
    assert batch['inputs'].keys() == expected['inputs'].keys()
    for name, value in expected['inputs'].items():
        assert torch.equal(batch['inputs'][name], value), name
        assert batch['inputs'][name].dtype == value.dtype
    assert len(batch['data_samples']) == len(items)
    for sample, other in zip(batch['data_samples'], expected['data_samples']):
        assert_same_sample(sample, other)


def test_the_model_gets_the_same(items):
    assert_same_batch(collate_clips(items), items)


@pytest.mark.parametrize('copied', [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
def test_it_travels_unchanged(items, copied):
    assert_same_batch(copied(collate_clips(items)), items)


def test_labels_travel_as_one_tensor_for_each_field(items):
    rebuild, (bare, labels) = ClipSamples([item['data_samples'] for item in items]).__reduce__()
    assert all('gt_instances' not in sample for sample in bare)
    assert labels['body_pose'].shape[:2] == (3, len(items[0]['data_samples'].gt_instances))
    # The samples themselves are as they were.
    assert all('gt_instances' in item['data_samples'] for item in items)
    assert isinstance(rebuild(bare, labels), ClipSamples)


def test_labels_from_a_worker_move_together(items):
    batch = pickle.loads(pickle.dumps(collate_clips(items)))['data_samples']
    moved = batch.to(torch.float64)
    assert isinstance(moved, ClipSamples) and len(moved) == len(items)
    for index, (sample, item) in enumerate(zip(moved, items)):
        for name, value in item['data_samples'].gt_instances.items():
            found = sample.gt_instances[name]
            assert found.dtype == torch.float64 and torch.equal(found, value.double())
            assert found.data_ptr() == moved.stacked[name][index].data_ptr()


def test_absent_features_take_no_room(items):
    bare = [dict(item, inputs=dict(item['inputs'])) for item in items]
    for item in bare:
        item['inputs']['f_imgseq'] = torch.zeros_like(item['inputs']['f_imgseq'])
        item['inputs']['has_imgfeat'] = torch.tensor(False)
    batch = pickle.loads(pickle.dumps(collate_clips(bare)))
    moved = MotionDataPreprocessor()(batch)['inputs']['f_imgseq']
    for features in (batch['inputs']['f_imgseq'], moved):
        assert features.shape == (3, *items[0]['inputs']['f_imgseq'].shape)
        assert features.untyped_storage().nbytes() == 4 and not features.any()
    assert_same_batch(collate_clips(bare), bare)
    bare[1] = items[1]
    assert collate_clips(bare)['inputs']['f_imgseq'].is_contiguous()


def test_samples_move_without_a_worker(items):
    samples = collate_clips(items)['data_samples'].to(torch.float64)
    assert all(sample.gt_instances.body_pose.dtype == torch.float64 for sample in samples)
    assert items[0]['data_samples'].gt_instances.body_pose.dtype == torch.float32


def test_a_worker_sends_the_same(items):
    loader = DataLoader(Items(items), batch_size=3, num_workers=1, collate_fn=collate_clips)
    (batch,) = loader
    assert isinstance(batch['data_samples'], ClipSamples)
    assert_same_batch(batch, items)


def test_clips_without_labels(items):
    unlabelled = []
    for item in items:
        sample = PoseDataSample(metainfo=item['data_samples'].metainfo)
        unlabelled.append(dict(inputs=item['inputs'], data_samples=sample))
    batch = pickle.loads(pickle.dumps(collate_clips(unlabelled)))
    assert_same_batch(batch, unlabelled)
    # Some with and some without, as no domain has them, pass too.
    mixed = [items[0], unlabelled[1]]
    assert_same_batch(pickle.loads(pickle.dumps(collate_clips(mixed))), mixed)


@pytest.mark.parametrize(
    'fields', [{'body_pose': torch.zeros(4, 63)}, {'body_pose': [1, 2]}, {'other': torch.ones(2)}]
)
def test_labels_that_differ_travel_one_by_one(items, fields):
    sample = PoseDataSample(gt_instances=InstanceData(**fields))
    samples = ClipSamples([items[0]['data_samples'], sample])
    arrived = pickle.loads(pickle.dumps(samples))
    assert isinstance(arrived, ClipSamples)
    assert arrived[1].gt_instances.keys() == sample.gt_instances.keys()
    assert_same_sample(arrived[0], samples[0])


def test_lengths_that_differ_are_named_by_the_model(items):
    short = dict(items[1], inputs={k: v[:1] for k, v in items[1]['inputs'].items() if v.ndim})
    first = {name: items[0]['inputs'][name] for name in short['inputs']}
    batch = collate_clips([dict(items[0], inputs=first), short])
    with pytest.raises(ValueError, match='clips of one batch should have equal shapes'):
        MotionDataPreprocessor()(batch)


def test_what_else_an_item_holds_is_kept(items):
    items = [dict(item, frame_path=f'{i}.jpg') for i, item in enumerate(items)]
    assert collate_clips(items)['frame_path'] == ['0.jpg', '1.jpg', '2.jpg']
    # Which clips stand in for bad ones is told by a field of the samples.
    items[0]['data_samples'].set_data(dict(replaced_bad_samples=['why']))
    arrived = pickle.loads(pickle.dumps(collate_clips(items)))
    assert arrived['data_samples'][0].replaced_bad_samples == ['why']
    del items[0]['data_samples'].replaced_bad_samples


def test_a_loader_finds_it_by_name(items):
    assert FUNCTIONS.get('collate_clips') is collate_clips
    for kind in (
        collate_clips, 'gvhmr_da_mm.collate_clips', 'gvhmr_da_mm.datasets.collate.collate_clips'
    ):  # fmt: skip
        loader = Runner.build_dataloader(
            dict(
                dataset=Items(items),
                batch_size=3,
                sampler=dict(type='DefaultSampler', shuffle=False),
                collate_fn=dict(type=kind),
            )
        )
        assert_same_batch(next(iter(loader)), items)


def test_inputs_are_pinned_also_where_they_are_expanded(monkeypatch):
    """Without a GPU nothing can be pinned: a copy stands in, which fails for the same reasons."""
    monkeypatch.setattr(
        torch.Tensor,
        'pin_memory',
        lambda value: torch.empty_strided(value.shape, value.stride()).copy_(value),
    )
    inputs = ClipInputs(
        f=torch.zeros(1, 1).expand(2, 3), kp2d=torch.rand(2, 3), odd=[torch.ones(2)]
    )
    with pytest.raises(RuntimeError, match='single memory location'):
        inputs['f'].pin_memory()
    pinned = inputs.pin_memory()
    assert isinstance(pinned, ClipInputs)
    assert torch.equal(pinned['f'], inputs['f']) and torch.equal(pinned['kp2d'], inputs['kp2d'])
    assert torch.equal(pinned['odd'][0], torch.ones(2))
