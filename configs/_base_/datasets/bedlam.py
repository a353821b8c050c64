"""Labelled synthetic clips alone."""

from mmengine.dataset import DefaultSampler

from gvhmr_da_mm.datasets import (
    AlternatingMultiSourceSampler,
    BEDLAMDataset,
    MultiSourceDataset,
)

bedlam = dict(type=BEDLAMDataset, data_root=None, pack=None, parts=('all60', 'maxspan60'))

train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type=DefaultSampler, shuffle=True),
    batch_sampler=dict(type=AlternatingMultiSourceSampler, batches_per_epoch=None),
    dataset=dict(type=MultiSourceDataset, datasets=[bedlam]),
)
