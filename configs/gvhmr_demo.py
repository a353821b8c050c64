"""Small GVHMR trained on the demo's synthetic clips only; `da_demo.py` starts from it."""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR

with read_base():
    from .gvhmr_bedlam import *

model.update(
    backbone=dict(latent_dim=96, num_layers=3, num_heads=4),
    head=dict(latent_dim=96),
)
train_dataloader.update(batch_size=12, num_workers=0, persistent_workers=False)
train_dataloader.batch_sampler.update(batches_per_epoch=50)
for _source in train_dataloader.dataset.datasets.values():
    _source.update(min_len=40, max_len=60)
test_dataloader.update(num_workers=0)
val_cfg = val_dataloader = val_evaluator = None

train_cfg.update(max_epochs=8)
optim_wrapper.update(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type=CosineAnnealingLR, T_max=8, by_epoch=True, convert_to_iter_based=True)]
default_hooks.update(logger=dict(interval=10), checkpoint=dict(interval=1, max_keep_ckpts=1))
