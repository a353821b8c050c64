"""Discriminator for `gvhmr_keypoints_b_cmu.py`, trained as `critic_keypoints_s_cmu.py` does."""

from mmengine.config import read_base

with read_base():
    from .critic_keypoints_s_cmu import *
    from .gvhmr_keypoints_b_cmu import model as larger

# How that is trained fast is not for this training.
model.update(estimator=dict(larger, cuda_graph=False, compile=False))
