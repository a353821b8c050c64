"""Larger network than that of `gvhmr_keypoints_s_cmu_gpu.py`, whose recipe trains it."""

from mmengine.config import read_base

with read_base():
    from .gvhmr_keypoints_s_cmu_gpu import *

model.update(
    backbone=dict(latent_dim=384, num_layers=10, num_heads=6),
    head=dict(latent_dim=384),
)
train_dataloader.update(batch_size=192)
optim_wrapper.optimizer.update(lr=3e-3)
