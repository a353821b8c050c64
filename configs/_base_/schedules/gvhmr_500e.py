"""Published supervised schedule: AdamW with learning rate 2e-4, halved at epochs 200 and 350."""

from mmengine.optim import MultiStepLR
from torch.optim import AdamW

from gvhmr_da_mm.engine import PrecisionOptimWrapperConstructor, ResumableTrainLoop

train_cfg = dict(type=ResumableTrainLoop, max_epochs=500, val_interval=10)
optim_wrapper = dict(
    constructor=PrecisionOptimWrapperConstructor,
    precision='fp32',
    optimizer=dict(type=AdamW, lr=2e-4, fused=None),
    clip_grad=dict(max_norm=0.5),
    accumulative_counts=1,
)
param_scheduler = [dict(type=MultiStepLR, milestones=[200, 350], gamma=0.5, by_epoch=True)]
