"""Training data: labelled synthetic clips of BEDLAM."""

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
    # Stacks clips in the workers, which transfers them faster than one by one.
    collate_fn=dict(type=collate_clips),
    sampler=dict(type=DefaultSampler, shuffle=True),
    batch_sampler=dict(type=AlternatingMultiSourceSampler),
    dataset=dict(type=MultiSourceDataset, datasets=dict(bedlam=bedlam)),
)
