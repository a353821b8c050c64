"""Runtime of every run: hooks, logging, seed."""

from mmengine.hooks import (
    DistSamplerSeedHook,
    IterTimerHook,
    LoggerHook,
    ParamSchedulerHook,
    RuntimeInfoHook,
)
from mmengine.runner import LogProcessor
from mmengine.visualization import LocalVisBackend, TensorboardVisBackend

from gvhmr_da_mm.engine import (
    BadSampleHook,
    DivergenceGuardHook,
    LockedPartsHook,
    LogHistoryHook,
    MotionVisualizationHook,
    ReplicatedDataParallel,
    SafeCheckpointHook,
    SafeLoadingHook,
    TrainingStateHook,
)
from gvhmr_da_mm.visualization import MotionLocalVisualizer

default_scope = 'gvhmr_da_mm'

default_hooks = dict(
    runtime_info=dict(type=RuntimeInfoHook),
    timer=dict(type=IterTimerHook),
    sampler_seed=dict(type=DistSamplerSeedHook),
    logger=dict(type=LoggerHook, interval=50),
    param_scheduler=dict(type=ParamSchedulerHook),
    checkpoint=dict(type=SafeCheckpointHook, interval=10, max_keep_ckpts=3),
    training_state=dict(type=TrainingStateHook),
    safe_loading=dict(type=SafeLoadingHook),
    divergence_guard=dict(type=DivergenceGuardHook),
    bad_samples=dict(type=BadSampleHook),
    locked_parts=dict(type=LockedPartsHook),
    log_history=dict(type=LogHistoryHook),
    visualization=dict(type=MotionVisualizationHook),
)
custom_hooks = []

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
model_wrapper_cfg = dict(type=ReplicatedDataParallel)
randomness = dict(seed=0)
log_level = 'INFO'
# Values that match `mean_pattern` are averaged over the last `window_size` iterations that have
# them, i.e. over those of one domain.
log_processor = dict(
    type=LogProcessor,
    window_size=10,
    by_epoch=True,
    mean_pattern=(
        r'.*(loss|time|grad_norm|reprojection_error|confidence_mean|selection_rate'
        r'|pseudo_label_spread).*'
    ),
)
visualizer = dict(
    type=MotionLocalVisualizer,
    data_root=None,
    vis_backends=[dict(type=LocalVisBackend), dict(type=TensorboardVisBackend)],
)

load_from = None
resume = False
