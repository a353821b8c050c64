"""Recorded motion alone, filmed by virtual cameras."""

from mmengine.dataset import DefaultSampler

from gvhmr_da_mm.datasets import (
    AlternatingMultiSourceSampler,
    AMASSDataset,
    MultiSourceDataset,
    VirtualCamera,
    collate_clips,
)

amass = dict(
    type=AMASSDataset,
    data_root=None,
    # A folder with files of AMASS instead: motions='AMASS'
    motions='AMASS/hmr4d_support/smplxpose_v2.pth',
    camera=dict(type=VirtualCamera),
)

train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type=collate_clips),
    sampler=dict(type=DefaultSampler, shuffle=True),
    batch_sampler=dict(type=AlternatingMultiSourceSampler, batches_per_epoch=None),
    dataset=dict(type=MultiSourceDataset, datasets=[amass]),
)
