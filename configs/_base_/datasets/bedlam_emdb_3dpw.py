"""Training data: batches of labelled BEDLAM clips in turn with unlabelled EMDB and 3DPW clips."""

from mmengine.dataset import DefaultSampler

from gvhmr_da_mm.datasets import (
    AlternatingMultiSourceSampler,
    BEDLAMDataset,
    EMDBDataset,
    MultiSourceDataset,
    ThreeDPWDataset,
    collate_clips,
)

bedlam = dict(type=BEDLAMDataset, data_root=None)

train_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    # Stacks clips in the workers, which transfers them faster than one by one.
    collate_fn=dict(type=collate_clips),
    sampler=dict(type=DefaultSampler, shuffle=True),
    batch_sampler=dict(type=AlternatingMultiSourceSampler),
    dataset=dict(
        type=MultiSourceDataset,
        datasets=dict(
            bedlam=bedlam,
            emdb=dict(type=EMDBDataset, data_root=None),
            threedpw=dict(type=ThreeDPWDataset, data_root=None),
        ),
    ),
)
