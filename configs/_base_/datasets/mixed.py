"""Training data of the published GVHMR: AMASS, BEDLAM, H36M and 3DPW, all with labels."""

from mmengine.dataset import DefaultSampler

from gvhmr_da_mm.datasets import (
    AlternatingMultiSourceSampler,
    AMASSDataset,
    BEDLAMDataset,
    H36MDataset,
    MultiSourceDataset,
    ThreeDPWDataset,
    collate_clips,
)

train_dataloader = dict(
    # The published batch is 256 on two GPUs. On one: optim_wrapper.accumulative_counts=2.
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    # Stacks clips in the workers, which transfers them faster than one by one.
    collate_fn=dict(type=collate_clips),
    sampler=dict(type=DefaultSampler, shuffle=True),
    # The paper names no weights of the datasets but "a mixed dataset": all clips are drawn equally
    # often. Unlike there, a batch is of synthetic or of real clips. To weight datasets set
    # `weights` of the dataset, and here a ratio of real batches.
    batch_sampler=dict(type=AlternatingMultiSourceSampler, alternating_ratio=None),
    dataset=dict(
        type=MultiSourceDataset,
        datasets=dict(
            amass=dict(type=AMASSDataset, data_root=None),
            bedlam=dict(type=BEDLAMDataset, data_root=None),
            h36m=dict(type=H36MDataset, data_root=None),
            threedpw=dict(type=ThreeDPWDataset, data_root=None, real_supervision='labels'),
        ),
    ),
)
