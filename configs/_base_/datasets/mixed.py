"""Training data of the published GVHMR: AMASS, BEDLAM, H36M and 3DPW, all with labels.

The published batch is 256 on two GPUs. On one: optim_wrapper.accumulative_counts=2.
"""

from mmengine.config import read_base

from gvhmr_da_mm.datasets import BEDLAMDataset, H36MDataset, ThreeDPWDataset

with read_base():
    from .amass import *

train_dataloader.dataset.datasets.update(
    bedlam=dict(type=BEDLAMDataset, data_root=None),
    h36m=dict(type=H36MDataset, data_root=None),
    threedpw=dict(type=ThreeDPWDataset, data_root=None, real_supervision='labels'),
)
# The paper names no weights of the datasets but "a mixed dataset": all clips are drawn equally
# often. Unlike there, a batch is of synthetic or of real clips. To weight datasets set
# `weights` of the dataset, and here a ratio of real batches.
train_dataloader.batch_sampler.update(alternating_ratio=None)
