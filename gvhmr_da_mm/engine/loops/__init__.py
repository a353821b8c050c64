"""Training loops."""

from .dry_run_loop import DryRunLoop, TriedSource
from .echoing_train_loop import EchoingTrainLoop
from .resumable_train_loop import ResumableTrainLoop

__all__ = ['DryRunLoop', 'EchoingTrainLoop', 'ResumableTrainLoop', 'TriedSource']
