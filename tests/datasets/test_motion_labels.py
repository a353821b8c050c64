"""Labels for the statistics: of labelled clips only."""

import pytest
import torch

from gvhmr_da_mm.codecs import MotionCodec
from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.datasets import BEDLAMDataset, ClipKey, EMDBDataset
from gvhmr_da_mm.datasets.motion_labels import MOTION_FIELDS, choose_clips, motion_labels


def test_clips_are_drawn_without_repetition():
    assert sorted(choose_clips(range(3, 9), 100)) == list(range(3, 9))
    first, again, other = (choose_clips(range(50), 5, seed) for seed in (1, 1, 2))
    assert first == again != other and len(set(first)) == 5


def test_they_are_those_of_the_window(toy_root):
    dataset = BEDLAMDataset(toy_root)
    (labels,) = motion_labels(dataset, [1], seed=3)
    item = dataset[ClipKey(1, 3)]
    assert set(labels) == {*MOTION_FIELDS, 'valid'}
    for name in MOTION_FIELDS:
        assert torch.equal(labels[name], item['data_samples'].gt_instances[name])
    assert torch.equal(labels['valid'], item['inputs']['valid'])
    codec = MotionCodec()
    codec.fit(motion_labels(dataset, [0, 1]))
    assert codec.fitted


def test_unlabelled_clips_are_named(toy_root):
    with pytest.raises(DataError, match="emdb_train: sequence.*supervision 'none'.*BEDLAM"):
        next(motion_labels(EMDBDataset(toy_root), [0]))
