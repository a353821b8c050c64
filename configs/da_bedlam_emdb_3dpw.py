"""Main config: GVHMR trained on labelled BEDLAM, adapted to EMDB and 3DPW without labels."""

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

default_hooks.update(
    motion_statistics=dict(type=MotionStatisticsHook),
    confidence_threshold=dict(type=ConfidenceThresholdHook),
    mean_teacher=dict(type=MeanTeacherHook),
    selection_rate=dict(type=SelectionRateHook),
    domain_monitor=dict(type=DomainMonitorHook),
    collapse_guard=dict(type=CollapseGuardHook),
)
