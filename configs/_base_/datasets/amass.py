"""Training data: motion capture of AMASS, seen by virtual cameras."""

from mmengine.dataset import DefaultSampler

from gvhmr_da_mm.datasets import (
    AlternatingMultiSourceSampler,
    AMASSDataset,
    MultiSourceDataset,
    collate_clips,
)

# To read AMASS's own files in DATA_ROOT/AMASS set motions='AMASS'. For measured detector errors set
# model.train_cfg.keypoint_noise=dict(type=DetectorNoise) in the config that inherits this one.
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
