"""Labelled synthetic clips alone."""

from mmengine.dataset import DefaultSampler

from gvhmr_da_mm.datasets import (
    AlternatingMultiSourceSampler,
    BEDLAMDataset,
    MultiSourceDataset,
    collate_clips,
)

bedlam = dict(type=BEDLAMDataset, data_root=None)

train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    # Clips travel stacked from the workers, which takes a fraction of the time.
    collate_fn=dict(type=collate_clips),
    sampler=dict(type=DefaultSampler, shuffle=True),
    batch_sampler=dict(type=AlternatingMultiSourceSampler),
    dataset=dict(type=MultiSourceDataset, datasets=dict(bedlam=bedlam)),
)
