"""Saving of checkpoints that survives kills and full disks."""

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
from ..atomic_local_backend import ATOMIC_BACKEND, LateRemovalBackend
from ..checkpoint_files import POINTER_FILE, ROLLING_FILE, checkpoints_in, find_last_checkpoint
from ..loops import ResumableTrainLoop

KEPT_KEY, LAST_KEY = 'keep_ckpt_ids', 'last_ckpt'
"""Keys of MMEngine's runtime information for saved checkpoints."""


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's checkpoint hook, with atomic writes and checkpoints within epochs.

    - Checkpoints and ``last_checkpoint`` are replaced atomically. Old checkpoints are removed only
      when the new one is on the disk.
    - ``rolling.pth`` is overwritten every ``rolling_interval`` iterations, and when
      :class:`ResumableTrainLoop` is asked to stop.
    - If a checkpoint cannot be written, for example on a full disk, an error is logged, earlier
      ones are kept, and training continues until the next is due. The last one of a run, and one
      to stop with, raise.
    - A run that resumes finds the last complete checkpoint even if ``last_checkpoint`` names
      another. Files that killed processes left half written are removed. In a copied work dir,
      files of the original are neither read nor removed.
    - ``save_best`` keeps the lowest value, as metrics here are errors, unless ``rule`` or
      ``greater_keys`` is set. A metric that is missing or NaN in a validation is warned about and
      skipped.

    Args:
        rolling_interval (int, optional): Iterations between saves of ``rolling.pth``; with None it
            is saved only when a run is stopped. Defaults to 1000.
        kwargs (Any): As for :class:`mmengine.hooks.CheckpointHook`.

    Raises:
        ConfigError: If ``rolling_interval`` is below 1.
    """

    def __init__(self, rolling_interval: Optional[int] = 1000, **kwargs: Any) -> None:
        check_at_least(1, rolling_interval=rolling_interval)
        self.rolling_interval = rolling_interval
        elsewhere = '://' in str(kwargs.get('out_dir') or '') or kwargs.get('file_client_args')
        if not elsewhere and kwargs.get('backend_args') is None:
            kwargs['backend_args'] = dict(backend=ATOMIC_BACKEND)
        if kwargs.get('save_best') and kwargs.get('rule') is kwargs.get('greater_keys') is None:
            # MMEngine infers the rule from words in the name: it takes `accel` for an accuracy.
            kwargs['rule'] = 'less'
        super().__init__(**kwargs)
        self._saved_at: Optional[tuple[int, int]] = None
        self._trains = False

    # -- stages -----------------------------------------------------------------------------------

    def before_run(self, runner: Runner) -> None:
        """Point a run that resumes to the last complete checkpoint."""
        if runner._resume and runner._load_from is None:
            if is_main_process():
                last, pointer = find_last_checkpoint(runner.work_dir), _pointer(runner)
                if last is not None and (not pointer.exists() or pointer.read_text() != last):
                    write_atomically(pointer, last.encode())
            barrier()

    def before_train(self, runner: Runner) -> None:
        """Set up the folder of checkpoints, and remove partial files there."""
        super().before_train(runner)
        self._trains = True
        self._forget_other_folders(runner)
        if not runner._resume and is_main_process():
            self._warn_of_earlier_run(runner)
        if self.backend_args == dict(backend=ATOMIC_BACKEND):
            self.file_backend = LateRemovalBackend()
            if is_main_process():
                for folder in {str(self.out_dir), str(runner.work_dir)}:
                    for partial in remove_partial_files(folder):
                        runner.logger.info(f'Removed {partial}, a partly written file')

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Save the checkpoints that are due after an iteration."""
        super().after_train_iter(runner, *args, **kwargs)
        if self.rolling_interval and self.every_n_train_iters(runner, self.rolling_interval):
            self._save_rolling(runner, dict(epoch=runner.epoch, iter=runner.iter + 1))

    def after_val_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Stop within a validation, if asked to; only where no other rank waits for this one."""
        loop = runner._train_loop
        validating = isinstance(loop, ResumableTrainLoop) and loop.training_random_state is not None
        if validating and get_world_size() == 1:
            loop.stop_if_asked()

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Save the best checkpoint; later checkpoints count as validated."""
        if isinstance(runner._train_loop, ResumableTrainLoop):
            runner.train_loop.validation_due = False
        if self._trains:  # Runs that only validate save nothing.
            super().after_val_epoch(runner, metrics)

    def before_stop(self, runner: Runner) -> None:
        """Save a checkpoint to resume from.

        Raises:
            StorageError: If it cannot be written.
        """
        self._save_rolling(runner, dict(epoch=runner.epoch, iter=runner.iter), must=True)

    # -- saving -----------------------------------------------------------------------------------

    def _save_rolling(self, runner: Runner, meta: dict, must: bool = False) -> None:
        if self._saved_at != (meta['epoch'], meta['iter']):
            self._try_to_save(runner, ROLLING_FILE, meta, must)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Save a checkpoint to keep, then remove the ones beyond ``max_keep_ckpts``."""
        info, outdated = runner.message_hub.runtime_info, []
        before = list(info.get(KEPT_KEY, []))
        if self.max_keep_ckpts > 0:
            kept = [number for number in before if number != step] + [step]
            outdated = kept[: -self.max_keep_ckpts]
            # Set before saving, as MMEngine does, because the checkpoint contains it.
            runner.message_hub.update_info(KEPT_KEY, kept[-self.max_keep_ckpts :])
        last = meta['iter'] >= runner.max_iters
        if self._try_to_save(runner, self.filename_tmpl.format(step), meta, must=last):
            names = [self.filename_tmpl.format(number) for number in outdated]
            self._remove([*names, ROLLING_FILE])
        elif self.max_keep_ckpts > 0:
            runner.message_hub.update_info(KEPT_KEY, before)

    def _try_to_save(self, runner: Runner, name: str, meta: dict, must: bool) -> bool:
        """Save a checkpoint and point to it; on failure log an error, or raise with ``must``."""
        before, self.last_ckpt = self.last_ckpt, self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info(LAST_KEY, self.last_ckpt)
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
            runner.message_hub.update_info(LAST_KEY, before)
            if must:
                raise StorageError(message) from error
            runner.logger.error(f'{message} Training continues; the next checkpoint is tried.')
            return False
        self._saved_at = (meta['epoch'], meta['iter'])
        return True

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """Save a best checkpoint, and then remove the one before."""
        if not self.save_best:
            return
        named = [name for name in self.key_indicators if name != 'auto']
        missing = [name for name in named if not isfinite(metrics.get(name, nan))]
        if missing:
            runner.logger.warning(
                f'No best checkpoint by {list_some(missing)}: this validation has no such value, '
                f'but {list_some(sorted(metrics))}'
            )
            metrics = {**metrics, **dict.fromkeys(missing)}  # MMEngine skips None.
        late = isinstance(self.file_backend, LateRemovalBackend)
        try:
            super()._save_best_checkpoint(runner, metrics)
        except StorageError:
            raise
        except OSError as error:
            if late:
                self.file_backend.keep_outdated()
            runner.logger.error(_failure('the best checkpoint', error) + ' Training continues.')
        else:
            if late:
                self.file_backend.remove_outdated()

    def _forget_other_folders(self, runner: Runner) -> None:
        """Replace paths of best checkpoints in other folders, as after copying a work dir."""
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

    def _warn_of_earlier_run(self, runner: Runner) -> None:
        found = [path.name for path in checkpoints_in(self.out_dir)]
        if found:
            runner.logger.warning(
                f'{self.out_dir} has checkpoints of an earlier run ({list_some(found, 3)}): this '
                'run starts from the beginning and overwrites those of the same name. To continue '
                'that run use `--resume`; to keep its files use another `--work-dir`'
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
    return Path(runner.work_dir) / POINTER_FILE


def _failure(path: str, error: OSError) -> str:
    folder = os.path.dirname(path)
    free = f', {shutil.disk_usage(folder).free / 2**20:.0f} MB are free' if folder else ''
    return (
        f'{path} could not be written ({error}{free}); earlier checkpoints are kept. Free '
        'space, or save elsewhere with `default_hooks.checkpoint.out_dir`.'
    )
