"""Training loops."""

from .dry_run_loop import DryRunLoop, TriedSource
from .replay_train_loop import ReplayTrainLoop
from .resumable_train_loop import ResumableTrainLoop

__all__ = ['DryRunLoop', 'ReplayTrainLoop', 'ResumableTrainLoop', 'TriedSource']
