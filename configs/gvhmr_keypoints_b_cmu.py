"""Larger network than that of `gvhmr_keypoints_s_cmu.py`, on the same recordings."""

from mmengine.config import read_base

with read_base():
    from .gvhmr_keypoints_s_cmu import *

model.update(
    backbone=dict(latent_dim=384, num_layers=10, num_heads=6),
    head=dict(latent_dim=384),
)
