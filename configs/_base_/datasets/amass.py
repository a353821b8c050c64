"""Recorded motion alone, filmed by virtual cameras."""

from mmengine.dataset import DefaultSampler

from gvhmr_da_mm.datasets import (
    AlternatingMultiSourceSampler,
    AMASSDataset,
    MultiSourceDataset,
    collate_clips,
)

# Files of AMASS below the data root: motions='AMASS'. Detectors as they were measured, in the
# config that uses this: model.keypoint_noise=dict(type=DetectorNoise).
amass = dict(type=AMASSDataset, data_root=None)

train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type=collate_clips),
    sampler=dict(type=DefaultSampler, shuffle=True),
    batch_sampler=dict(type=AlternatingMultiSourceSampler),
    dataset=dict(type=MultiSourceDataset, datasets=dict(amass=amass)),
)
