"""Recipe of `tools/adapt.py`: 100 iterations on a few videos, without labelled clips.

The tool sets the network, which is that of the source, the pack and `load_from`.
"""

from mmengine.config import read_base

from gvhmr_da_mm.models.refiners import FootContactOdometry

with read_base():
    from .da_video import *

train_dataloader.dataset.datasets = dict(video=video)
train_dataloader.dataset.optional = []
# Reprojection alone brings people nearer to the keypoints, and lets their feet slide. No labelled
# clip teaches the motion in the world here, so pseudo-labels do, as they are made at test time.
model.update(
    losses=dict(pseudo=dict(world=True, loss_weight=0.1)),
    # A shipped model lifts keypoints itself.
    pseudo_labeler=dict(lifter=None, trajectory=dict(type=FootContactOdometry)),
)
train_dataloader.update(batch_size=4, num_workers=0, persistent_workers=False)
train_dataloader.batch_sampler.update(batches_per_epoch=20)
test_cfg = test_dataloader = test_evaluator = None
train_cfg.update(max_epochs=5)
optim_wrapper.update(model=dict(accumulative_counts=1))
default_hooks.update(checkpoint=dict(interval=1, max_keep_ckpts=1), logger=dict(interval=20))
