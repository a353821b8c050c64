"""Discriminator for `gvhmr_keypoints_s_cmu.py`, so that its network adapts without source data.

It learns from the recordings and from the network's predictions of them; the network does not
change. Start from its checkpoint by `--cfg-options load_from=CHECKPOINT`. The checkpoint of this
run holds both.
"""

from mmengine.config import read_base

from gvhmr_da_mm.models.adaptation import MotionQueue

with read_base():
    from ._base_.models.da_gvhmr import model as adaptive
    from ._base_.schedules.adaptation_300e import optim_wrapper as adaptive_optim_wrapper
    from .gvhmr_keypoints_s_cmu import *

# Small, so that the published file stays so: 0.5 MB and, with 64 motions, 1.1 MB.
critic = dict(
    adaptive.critic,
    discriminator=dict(adaptive.critic.discriminator, hidden_size=128, attention_size=64),
    queue=dict(type=MotionQueue, size=64),
    learn_from_synthetic=True,
)
model = dict(adaptive, estimator=model, critic=critic, synthetic_weight=0.0)
# True motion as it was recorded, as long as the queue keeps and as the adaptation shows it.
for _source in train_dataloader.dataset.datasets.values():
    _source.update(max_len=120, variation=None)
train_dataloader.batch_sampler.update(batches_per_epoch=100)
train_cfg.update(max_epochs=3)
optim_wrapper = dict(
    adaptive_optim_wrapper, discriminator=dict(optimizer=dict(type='Adam', lr=1e-3))
)
param_scheduler = []
