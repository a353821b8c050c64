"""Training hooks."""

from .bad_sample_hook import BadSampleHook
from .collapse_guard_hook import CollapseGuardHook
from .confidence_threshold_hook import ConfidenceThresholdHook
from .divergence_guard_hook import DivergenceGuardHook
from .domain_monitor_hook import DomainMonitorHook
from .early_stopping_hook import EarlyStoppingHook
from .locked_parts_hook import LockedPartsHook
from .log_history_hook import LogHistoryHook
from .mean_teacher_hook import MeanTeacherHook
from .motion_statistics_hook import MotionStatisticsHook
from .motion_visualization_hook import MotionVisualizationHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .safe_loading_hook import SafeLoadingHook
from .selection_rate_hook import SelectionRateHook
from .source_free_hook import SourceFreeHook
from .training_state_hook import TrainingStateHook

__all__ = [
    'BadSampleHook',
    'CollapseGuardHook',
    'ConfidenceThresholdHook',
    'DivergenceGuardHook',
    'DomainMonitorHook',
    'EarlyStoppingHook',
    'LockedPartsHook',
    'LogHistoryHook',
    'MeanTeacherHook',
    'MotionStatisticsHook',
    'MotionVisualizationHook',
    'SafeCheckpointHook',
    'SafeLoadingHook',
    'SelectionRateHook',
    'SourceFreeHook',
    'TrainingStateHook',
]
