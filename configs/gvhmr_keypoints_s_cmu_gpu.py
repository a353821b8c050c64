"""`gvhmr_keypoints_s_cmu.py` on one GPU, where a step takes less time than reading a batch."""

from mmengine.config import read_base

from gvhmr_da_mm.engine import ReplayTrainLoop

with read_base():
    from .gvhmr_keypoints_s_cmu import *

model.update(cuda_graph=True)
train_cfg.update(type=ReplayTrainLoop)
train_dataloader.update(num_workers=15, pin_memory=True, prefetch_factor=4)
optim_wrapper.update(precision='bf16')
