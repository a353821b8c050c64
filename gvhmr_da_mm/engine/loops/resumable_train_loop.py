"""Epoch-based training loop that stops and resumes at any iteration."""

import errno
import itertools
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Optional

import torch
from mmengine.runner import EpochBasedTrainLoop
from torch import nn
from torch.utils.data import DataLoader

from ...core.errors import StorageError
from ...registry import LOOPS
from ..random_state import random_state, set_random_state
from ..stop_signals import EXIT_RESUMABLE, StopSignals, shield_workers
from ..total_steps import check_schedules

DISK_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """MMEngine's epoch-based loop, which also resumes within an epoch.

    - A batch sampler with ``start_step``, such as :class:`AlternatingMultiSourceSampler`, starts
      there. With others, the batches before are read and dropped, which is logged.
    - A validation that was due when the checkpoint was saved is run after the resume. Validation
      does not change the random numbers of training, so a run is the same with and without it.
    - SIGTERM and SIGINT end the run after the current iteration and the stage ``before_stop`` of
      the hooks, where :class:`SafeCheckpointHook` saves, with exit code :data:`EXIT_RESUMABLE`. A
      second SIGINT raises at once.

    :class:`TrainingStateHook` saves and restores the position and all other state. Arguments are
    those of :class:`mmengine.runner.EpochBasedTrainLoop`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.step = 0
        self.validation_due = False
        self.training_random_state: Optional[dict] = None
        self.signals = StopSignals()

    def position(self) -> dict[str, Any]:
        """Return the position within the epoch: arguments of :meth:`resume_at`."""
        return dict(
            step=self.step, epoch_length=len(self.dataloader), validation_due=self.validation_due
        )

    def resume_at(self, step: int, epoch_length: int, validation_due: bool) -> None:
        """Start within an epoch.

        Args:
            step (int): Batches of the epoch that are done.
            epoch_length (int): Batches of the epoch when ``step`` was saved; if it has another
                number now, the same share counts as done.
            validation_due (bool): Whether the epoch before still has to be validated.
        """
        length = len(self.dataloader)
        if length != epoch_length:
            self.step = step * length // epoch_length
            self.runner.logger.warning(
                f'An epoch had {epoch_length} batches and has {length} now (batch size, ranks or '
                f'data changed): resuming after {self.step} of them'
            )
            # The last accumulation is shorter if the remaining iterations do not divide.
            left = (self._max_epochs - self._epoch) * length - self.step
            self._max_iters = self._iter + left
            self.runner.optim_wrapper.initialize_count_status(
                self.runner.model, self._iter, self._max_iters
            )
        else:
            self.step = step
        self.validation_due = validation_due

    def run(self) -> nn.Module:
        """Train, from the beginning or from the position of a checkpoint.

        Raises:
            ConfigError: If a schedule ends before the training.
            StorageError: If the disk is too full to write logs. A checkpoint that cannot be written
                does not end training, see :class:`SafeCheckpointHook`.
        """
        try:
            return self._run()
        except OSError as error:
            if error.errno not in DISK_FULL_ERRNOS:
                raise
            raise StorageError(
                f'{self.runner.work_dir} cannot be written to any more ({error}). Free space, then '
                'continue with `--resume`'
            ) from error

    def _run(self) -> nn.Module:
        check_schedules(self.runner.param_schedulers, self._max_epochs, self._max_iters)
        with StopSignals() as self.signals:
            shield_workers(self.loader)
            if self.runner.val_loop is not None:
                shield_workers(self.runner.val_loop.dataloader)
            self.runner.call_hook('before_train')
            if not self.step:
                self.runner.call_hook('before_first_step')
            while self._unfinished() and not self.stop_training:
                if not self.validation_due:
                    self.run_epoch()
                    self.stop_if_asked()
                self._decide_current_val_interval()
                self._validate()
                self.stop_if_asked()
            self.runner.call_hook('after_train')
        return self.runner.model

    def _unfinished(self) -> bool:
        return self._epoch < self._max_epochs or self.validation_due

    def run_epoch(self) -> None:
        """Train on the remaining batches of the epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        batches = self._batches()
        if self.step:
            # Restores the state after the hooks above, which the interrupted process ran before.
            self.runner.call_hook('before_first_step')
        for step, batch in enumerate(batches, start=self.step):
            self.run_iter(step, batch)
        self.step, self.validation_due = 0, True
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def run_iter(self, idx: int, data_batch: Sequence[dict]) -> None:
        """Train on one batch, then stop if asked to.

        Args:
            idx (int): Index of the batch in the epoch, from 0.
            data_batch (Sequence[dict]): The batch.
        """
        self.step = idx + 1
        super().run_iter(idx, data_batch)
        self.stop_if_asked()

    @property
    def loader(self) -> DataLoader:
        """The data loader that reads; ``len(dataloader)`` is the number of iterations."""
        return self.dataloader

    def _batches(self) -> Iterator[Sequence[dict]]:
        """Return the batches of the epoch from the current step on."""
        return self._read_from(self.step)

    def _read_from(self, number: int) -> Iterator[Sequence[dict]]:
        """Read the batches of the epoch from one on."""
        sampler = self.loader.batch_sampler
        jumps = hasattr(sampler, 'start_step')
        if jumps:
            sampler.start_step = number
        # A loader draws a seed for its workers, which must not depend on when a run resumes.
        with torch.random.fork_rng(devices=[]):
            batches = iter(self.loader)
        if number and not jumps:
            self.runner.logger.warning(
                f'{type(sampler).__name__} cannot start within an epoch: reading {number} '
                'batches again'
            )
            batches = itertools.islice(batches, number, None)
        return batches

    def _validate(self) -> None:
        """Validate if scheduled, without changing the random numbers of training."""
        epoch, loop = self._epoch, self.runner.val_loop
        scheduled = epoch % self.val_interval == 0 or epoch == self._max_epochs
        if loop is not None and epoch >= self.val_begin and scheduled:
            self.training_random_state = random_state()
            loop.run()
            set_random_state(self.training_random_state)
            self.training_random_state = None
        self.validation_due = False

    def stop_if_asked(self) -> None:
        """Save and exit if any rank has received a signal to stop; all ranks together.

        Raises:
            SystemExit: With :data:`EXIT_RESUMABLE`.
        """
        if not self.signals.any_rank():
            return
        self.runner.call_hook('before_stop')
        self.runner.visualizer.close()
        self.runner.logger.warning(
            f'Stopped by a signal in epoch {self._epoch + 1} after iteration {self._iter}; '
            f'continue with `--resume` (exit code {EXIT_RESUMABLE})'
        )
        sys.exit(EXIT_RESUMABLE)
