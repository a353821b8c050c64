"""Adaptation with a tiny network and schedule, for smoke runs on a CPU."""

from mmengine.config import read_base

with read_base():
    from .da_bedlam_emdb_3dpw import *

model.update(
    estimator=dict(
        backbone=dict(latent_dim=64, num_layers=3, num_heads=4), head=dict(latent_dim=64)
    ),
    critic=dict(
        discriminator=dict(hidden_size=64, attention_size=32),
        # More updates than the default, as the run is short.
        steps=2,
        queue=dict(size=64),
    ),
)
train_dataloader.update(batch_size=8, num_workers=0, persistent_workers=False)
test_dataloader.update(num_workers=0)
val_dataloader.update(num_workers=0)
train_cfg.update(max_epochs=10, val_interval=5)
optim_wrapper.update(
    model=dict(optimizer=dict(lr=1e-3), accumulative_counts=1),
    discriminator=dict(optimizer=dict(lr=1e-3)),
)
default_hooks.update(
    confidence_threshold=dict(interval=1),
    mean_teacher=dict(momentum=0.01),
    logger=dict(interval=2),
    checkpoint=dict(interval=1),
)
