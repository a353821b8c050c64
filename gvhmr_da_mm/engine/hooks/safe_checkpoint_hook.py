"""Checkpoints that survive kills and full disks."""

import os
import shutil
from math import isfinite, nan
from pathlib import Path
from typing import Any, Optional

from mmengine.dist import barrier, get_world_size, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from ...core.checks import check_at_least
from ...core.errors import StorageError, list_some
from ...fileio.atomic_file import remove_partial_files, write_atomically
from ...registry import HOOKS
from ..atomic_local_backend import ATOMIC, LateRemovalBackend
from ..checkpoint_files import POINTER, ROLLING, checkpoints_in, find_last_checkpoint
from ..loops import ResumableTrainLoop

KEPT, LAST = 'keep_ckpt_ids', 'last_ckpt'
"""Where MMEngine remembers what was saved."""


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's checkpoint hook, after which there always is a complete checkpoint.

    - Checkpoints, and ``last_checkpoint``, are written beside the old ones and take their place in
      one step. Old ones are removed when the new one is on the disk, not before.
    - ``rolling.pth`` replaces itself every ``rolling_interval`` iterations, and is saved when
      :class:`ResumableTrainLoop` is asked to stop.
    - If a checkpoint cannot be written, for example because the disk is full, that is logged as an
      error and training goes on with the earlier ones in place; the next one is tried as usual. The
      last one of a run, and one to stop with, raise.
    - A run that resumes finds the last complete checkpoint even if ``last_checkpoint`` names
      another. What killed processes left half written is removed. A work dir that was copied is
      a run of its own: files of the one that it was copied from are neither read nor removed.
    - ``save_best`` keeps the least value, as metrics here are errors, unless ``rule`` or
      ``greater_keys`` say otherwise. A metric that is missing or NaN in a validation is warned
      about and passed over.

    Args:
        rolling_interval (int, optional): Iterations between saves of ``rolling.pth``; with None it
            is only saved when a run is stopped. Defaults to 1000.
        kwargs (Any): As for :class:`mmengine.hooks.CheckpointHook`.

    Raises:
        ConfigError: If ``rolling_interval`` is below 1.
    """

    def __init__(self, rolling_interval: Optional[int] = 1000, **kwargs: Any) -> None:
        check_at_least(1, rolling_interval=rolling_interval)
        self.rolling_interval = rolling_interval
        elsewhere = '://' in str(kwargs.get('out_dir') or '') or kwargs.get('file_client_args')
        if not elsewhere and kwargs.get('backend_args') is None:
            kwargs['backend_args'] = dict(backend=ATOMIC)
        if kwargs.get('save_best') and kwargs.get('rule') is kwargs.get('greater_keys') is None:
            # MMEngine looks for words in the name: it takes `accel` for an accuracy.
            kwargs['rule'] = 'less'
        super().__init__(**kwargs)
        self._saved_at: Optional[tuple[int, int]] = None
        self._trains = False

    # -- stages -----------------------------------------------------------------------------------

    def before_run(self, runner: Runner) -> None:
        """Have a run that resumes go on from a checkpoint that is complete."""
        if runner._resume and runner._load_from is None:
            if is_main_process():
                last, pointer = find_last_checkpoint(runner.work_dir), _pointer(runner)
                if last is not None and (not pointer.exists() or pointer.read_text() != last):
                    write_atomically(pointer, last.encode())
            barrier()

    def before_train(self, runner: Runner) -> None:
        """Find out where checkpoints are kept, and tidy up there."""
        super().before_train(runner)
        self._trains = True
        self._forget_other_folders(runner)
        if not runner._resume and is_main_process():
            self._tell_of_earlier_run(runner)
        if self.backend_args == dict(backend=ATOMIC):
            self.file_backend = LateRemovalBackend()
            if is_main_process():
                for folder in {str(self.out_dir), str(runner.work_dir)}:
                    for partial in remove_partial_files(folder):
                        runner.logger.info(f'Removed {partial}, the beginning of a checkpoint')

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Save what is due after an iteration."""
        super().after_train_iter(runner, *args, **kwargs)
        if self.rolling_interval and self.every_n_train_iters(runner, self.rolling_interval):
            self._save_rolling(runner, dict(epoch=runner.epoch, iter=runner.iter + 1))

    def after_val_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Do not wait for the end of the validation to stop, where no other rank waits for this."""
        loop = runner._train_loop
        validating = isinstance(loop, ResumableTrainLoop) and loop.training_random_state is not None
        if validating and get_world_size() == 1:
            loop.stop_if_asked()

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Save a best checkpoint; whatever is saved from here on has been validated."""
        if isinstance(runner._train_loop, ResumableTrainLoop):
            runner.train_loop.validation_due = False
        if self._trains:  # Validation alone has nothing to save.
            super().after_val_epoch(runner, metrics)

    def before_stop(self, runner: Runner) -> None:
        """Save where the run is stopped.

        Raises:
            StorageError: If that fails.
        """
        self._save_rolling(runner, dict(epoch=runner.epoch, iter=runner.iter), must=True)

    # -- saving -----------------------------------------------------------------------------------

    def _save_rolling(self, runner: Runner, meta: dict, must: bool = False) -> None:
        if self._saved_at != (meta['epoch'], meta['iter']):
            self._try_to_save(runner, ROLLING, meta, must)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Save a checkpoint to keep, then remove what is one too many."""
        info, outdated = runner.message_hub.runtime_info, []
        before = list(info.get(KEPT, []))
        if self.max_keep_ckpts > 0:
            kept = [number for number in before if number != step] + [step]
            outdated = kept[: -self.max_keep_ckpts]
            # Set before it is saved, as MMEngine does: it is part of the checkpoint.
            runner.message_hub.update_info(KEPT, kept[-self.max_keep_ckpts :])
        last = meta['iter'] >= runner.max_iters
        if self._try_to_save(runner, self.filename_tmpl.format(step), meta, must=last):
            names = [self.filename_tmpl.format(number) for number in outdated]
            self._remove([*names, ROLLING])
        elif self.max_keep_ckpts > 0:
            runner.message_hub.update_info(KEPT, before)

    def _try_to_save(self, runner: Runner, name: str, meta: dict, must: bool) -> bool:
        """Save a checkpoint and point to it; say so if that fails, or raise if it must not."""
        before, self.last_ckpt = self.last_ckpt, self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info(LAST, self.last_ckpt)
        runner.call_hook('before_save_on_all_ranks')
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler,
                meta=dict(meta),
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args,
            )
            if is_main_process():
                write_atomically(_pointer(runner), self.last_ckpt.encode())
        except OSError as error:
            message = _failure(self.last_ckpt, error)
            self.last_ckpt = before
            runner.message_hub.update_info(LAST, before)
            if must:
                raise StorageError(message) from error
            runner.logger.error(f'{message} Training goes on, and saves again when it is due.')
            return False
        self._saved_at = (meta['epoch'], meta['iter'])
        return True

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """Save a best checkpoint, and remove the one before when that has worked."""
        if not self.save_best:
            return
        named = [name for name in self.key_indicators if name != 'auto']
        missing = [name for name in named if not isfinite(metrics.get(name, nan))]
        if missing:
            runner.logger.warning(
                f'No best checkpoint by {list_some(missing)}: this validation has no such value, '
                f'but {list_some(sorted(metrics))}'
            )
            metrics = {**metrics, **dict.fromkeys(missing)}  # None is passed over.
        late = isinstance(self.file_backend, LateRemovalBackend)
        try:
            super()._save_best_checkpoint(runner, metrics)
        except StorageError:
            raise
        except OSError as error:
            if late:
                self.file_backend.keep_outdated()
            runner.logger.error(_failure('the best checkpoint', error) + ' Training goes on.')
        else:
            if late:
                self.file_backend.remove_outdated()

    def _forget_other_folders(self, runner: Runner) -> None:
        """Look for the best checkpoints of a run that resumes in its own folder alone."""
        if not self.save_best:
            return
        single = len(self.key_indicators) == 1
        for name in self.key_indicators:
            path = self.best_ckpt_path if single else self.best_ckpt_path_dict[name]
            if path is None:
                continue
            path = self.file_backend.join_path(self.out_dir, os.path.basename(path))
            path = path if self.file_backend.isfile(path) else None
            if single:
                self.best_ckpt_path = path
            else:
                self.best_ckpt_path_dict[name] = path

    def _tell_of_earlier_run(self, runner: Runner) -> None:
        found = [path.name for path in checkpoints_in(self.out_dir)]
        if found:
            runner.logger.warning(
                f'{self.out_dir} has checkpoints of an earlier run ({list_some(found, 3)}): this '
                'one starts from the beginning and replaces those of the same name. To go on '
                'use `--resume`; to keep them use another `--work-dir`'
            )

    def _remove(self, names: list[str]) -> None:
        """Remove checkpoints of this run, on the first rank."""
        if is_main_process():
            for name in names:
                path = self.file_backend.join_path(self.out_dir, name)
                if self.file_backend.isfile(path):
                    self.file_backend.remove(path)
            if isinstance(self.file_backend, LateRemovalBackend):
                self.file_backend.remove_outdated()


def _pointer(runner: Runner) -> Path:
    return Path(runner.work_dir) / POINTER


def _failure(path: str, error: OSError) -> str:
    folder = os.path.dirname(path)
    free = f', {shutil.disk_usage(folder).free / 2**20:.0f} MB are free' if folder else ''
    return (
        f'{path} could not be written ({error}{free}); earlier checkpoints are in place. Make '
        'room, or save elsewhere with `default_hooks.checkpoint.out_dir`.'
    )
