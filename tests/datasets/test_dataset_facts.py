"""Statistics of a dataset."""

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets import BEDLAMDataset, EMDBDataset
from gvhmr_da_mm.datasets.dataset_facts import (
    LENGTH_BINS,
    different_clips,
    length_histogram,
    measure_dataset,
)


def test_histogram_counts_every_length_once():
    lengths = np.array([1, 29, 30, 59, 60, 2999, 3000, 90000])
    histogram = length_histogram(lengths)
    assert sum(histogram.values()) == len(lengths) and len(histogram) == len(LENGTH_BINS)
    assert histogram['0-29'] == histogram['30-59'] == histogram['3000+'] == 2
    assert histogram['60-119'] == histogram['1200-2999'] == 1


def test_frames_and_cameras(toy_root):
    dataset = BEDLAMDataset(toy_root)
    infos = different_clips(dataset)
    facts = measure_dataset(dataset, frames_per_clip=0)
    clips = [dataset.read_clip(info, info['start'], info['end']) for info in infos]
    assert facts.clips == len(clips) and facts.frames == sum(map(len, clips)) == facts.frames_read
    assert facts.hours == pytest.approx(facts.frames / 108000)
    assert facts.length[::2] == [min(map(len, clips)), max(map(len, clips))]
    sides = np.concatenate([clip.bbx_xys[:, 2].numpy() for clip in clips])
    assert facts.box[1] == pytest.approx(np.median(sides))
    assert facts.focal[0] <= facts.focal[1] <= facts.focal[2]
    assert facts.with_labels == facts.with_features == facts.clips
    assert facts.with_keypoints == 0 and facts.domain == 'synthetic'
    assert sum(facts.image_sizes.values()) == facts.clips


def test_estimated_intrinsics_have_the_diagonal_as_focal_length(toy_root):
    facts = measure_dataset(EMDBDataset(toy_root, intrinsics='estimated'), max_clips=1)
    assert facts.focal == pytest.approx([1, 1, 1], abs=1e-5)
    assert facts.frames_read == 3 and facts.with_labels == 0 and facts.with_keypoints == 1


def test_clips_that_are_listed_often_count_once(toy_root):
    dataset = EMDBDataset(toy_root, min_len=10, max_len=20, min_frames=10)
    often = measure_dataset(dataset)
    once = measure_dataset(EMDBDataset(toy_root, min_frames=10, list_long_clips_often=False))
    assert len(dataset) > often.clips
    assert (often.clips, often.frames) == (once.clips, once.frames)


def test_impossible_numbers_are_named(toy_root):
    with pytest.raises(ConfigError, match='`frames_per_clip`.*got -1'):
        measure_dataset(EMDBDataset(toy_root), frames_per_clip=-1)
