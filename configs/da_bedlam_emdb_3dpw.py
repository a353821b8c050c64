"""The main job: GVHMR on BEDLAM, adapted to EMDB and 3DPW without their labels."""

from mmengine.config import read_base

from gvhmr_da_mm.engine import (
    CollapseGuardHook,
    ConfidenceThresholdHook,
    DomainMonitorHook,
    MeanTeacherHook,
    MotionStatisticsHook,
    SelectionRateHook,
)

with read_base():
    from ._base_.datasets.bedlam_emdb_3dpw import *
    from ._base_.datasets.test_emdb_3dpw import *
    from ._base_.default_runtime import *
    from ._base_.models.da_gvhmr import *
    from ._base_.schedules.adaptation_300e import *

custom_hooks = [
    dict(type=MotionStatisticsHook),
    dict(
        type=ConfidenceThresholdHook,
        confidence_threshold_start=0.4,
        confidence_threshold_end=0.5,
        confidence_step=0.05,
        interval=100,
        by_epoch=True,
    ),
    dict(type=MeanTeacherHook, momentum=0.001),
    dict(type=SelectionRateHook),
    dict(type=DomainMonitorHook),
    dict(type=CollapseGuardHook, action='stop'),
]
