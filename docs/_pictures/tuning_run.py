"""A short adaptation of the demo, validated on held-out clips after each epoch."""

from mmengine.config import read_base
from mmengine.optim import CosineAnnealingLR

with read_base():
    from gvhmr_da_mm.configs.da_demo import *

    # isort: split
    # After the other, which has no validation.
    from gvhmr_da_mm.configs._base_.datasets.val_held_out import *

for _name in ('emdb', 'threedpw'):
    train_dataloader.dataset.datasets[_name].update(subset='fit')
val_dataloader.update(num_workers=0)
# The network alone: a fit at test time would hide what it learned.
model.estimator.update(
    test_cfg=dict(
        flip_test=False, refiner=None, steady_gravity=False, trajectory=None, postprocess=False
    )
)
train_dataloader.batch_sampler.update(batches_per_epoch=20)
train_cfg.update(max_epochs=6, val_interval=1)
param_scheduler.update(
    model=[dict(type=CosineAnnealingLR, T_max=6, by_epoch=True, convert_to_iter_based=True)]
)
default_hooks.update(logger=dict(interval=4), checkpoint=dict(interval=6, save_optimizer=False))
# Shown here instead of stopping the run.
default_hooks.collapse_guard.update(action='warn')
