"""`gvhmr_keypoints_s_cmu.py` on one GPU, which trains several times as fast as the CPU reads.

20,000 updates, 100 epochs of 200; each batch that is read counts for five.
"""

from mmengine.config import read_base

from gvhmr_da_mm.engine import EchoingTrainLoop

with read_base():
    from .gvhmr_keypoints_s_cmu import *

model.update(cuda_graph=True, compile=True)
# Pinned memory is taken by a thread of the data loader, which a CUDA graph that is recorded at the
# same time does not allow.
train_dataloader.update(batch_size=128, num_workers=13, pin_memory=False, prefetch_factor=4)
train_dataloader.batch_sampler.update(batches_per_epoch=40)
train_cfg.update(type=EchoingTrainLoop, repeats=5, max_epochs=100)
optim_wrapper.update(precision='bf16')
optim_wrapper.optimizer.update(weight_decay=0.01)
param_scheduler[1].update(T_max=100)
