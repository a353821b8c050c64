"""`gvhmr_keypoints_s_cmu.py` on one GPU, which such a small network keeps waiting for the CPU."""

from mmengine.config import read_base

with read_base():
    from .gvhmr_keypoints_s_cmu import *

model.update(cuda_graph=True)
train_dataloader.update(batch_size=128, num_workers=15, pin_memory=True, prefetch_factor=4)
optim_wrapper.update(precision='bf16')
