"""Adaptation schedule: AdamW for the student and Adam for the discriminator, both with 1e-4."""

from torch.optim import Adam, AdamW

from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor, ResumableTrainLoop

train_cfg = dict(type=ResumableTrainLoop, max_epochs=300, val_interval=10)
optim_wrapper = dict(
    constructor=AdaptationOptimWrapperConstructor,
    model=dict(
        precision='fp32',
        optimizer=dict(type=AdamW, lr=1e-4, fused=None),
        clip_grad=dict(max_norm=0.5),
        accumulative_counts=2,
    ),
    discriminator=dict(precision='fp32', optimizer=dict(type=Adam, lr=1e-4, weight_decay=1e-4)),
)
param_scheduler = []
