"""Adaptation on the demo data: a small network, from the checkpoint of `gvhmr_demo.py`.

The demo tool passes the data root and `load_from`; otherwise add `--data-root DIR` and
`--cfg-options load_from=CHECKPOINT`.
"""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR

with read_base():
    from .da_tiny_bedlam_emdb_3dpw import *

model.update(
    estimator=dict(
        backbone=dict(latent_dim=96, num_layers=3, num_heads=4),
        head=dict(latent_dim=96),
    )
)
train_dataloader.update(batch_size=12)
train_dataloader.batch_sampler.update(batches_per_epoch=50)
for _source in train_dataloader.dataset.datasets.values():
    _source.update(min_len=40, max_len=60)
val_cfg = val_dataloader = val_evaluator = None

train_cfg.update(max_epochs=5)
optim_wrapper.update(model=dict(optimizer=dict(lr=5e-4)))
param_scheduler = dict(
    model=[dict(type=CosineAnnealingLR, T_max=5, by_epoch=True, convert_to_iter_based=True)],
    discriminator=[],
)
default_hooks.update(logger=dict(interval=10), checkpoint=dict(interval=1, max_keep_ckpts=1))
