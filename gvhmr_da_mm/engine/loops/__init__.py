"""Training loops."""

from .dry_run_loop import DryRunLoop, TriedSource
from .resumable_train_loop import ResumableTrainLoop

__all__ = ['DryRunLoop', 'ResumableTrainLoop', 'TriedSource']
