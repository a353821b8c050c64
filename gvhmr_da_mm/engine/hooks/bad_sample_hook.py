"""Report of the bad clips that training skips."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

from mmengine.dist import all_gather_object, is_main_process
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner

from ...datasets.bad_samples import BadSample, describe_bad_samples
from ...datasets.motion_dataset import REPLACED_KEY, MotionDataset
from ...registry import HOOKS
from ..batch_samples import read_samples, without_labels

REPORT_FILE = 'bad_samples.json'


@HOOKS.register_module()
class BadSampleHook(Hook):
    """Report the clips that ``on_bad_sample='skip'`` of the datasets skips.

    Logs at the start how many clips are left out of the lists, and after each epoch how many draws
    of a bad clip were replaced by another. ``bad_samples.json`` in the folder of the run's log
    lists all: ``left_out``, and ``replaced`` with the number of draws. With
    ``on_bad_sample='error'`` there is no file. Priority ``NORMAL``.
    """

    def __init__(self) -> None:
        self._replaced: dict[BadSample, int] = {}
        self._of_epoch: list[BadSample] = []

    def state_dict(self) -> dict[str, Any]:
        """Return the replaced clips so far, for :class:`TrainingStateHook`."""
        return dict(
            replaced=[dict(asdict(sample), draws=n) for sample, n in self._replaced.items()],
            of_epoch=[asdict(sample) for sample in self._of_epoch],
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the state that :meth:`state_dict` returned."""
        self._replaced = {}
        for entry in state_dict['replaced']:
            draws = entry['draws']
            fields = {name: value for name, value in entry.items() if name != 'draws'}
            self._replaced[BadSample(**fields)] = draws
        self._of_epoch = [BadSample(**entry) for entry in state_dict['of_epoch']]

    def before_train(self, runner: Runner) -> None:
        """Report the clips that are left out of the lists."""
        left_out = self._left_out(runner)
        if left_out:
            runner.logger.warning(
                f'{len(left_out)} bad clip(s) or sequence(s) are left out of training; all are '
                f'listed in {self._path(runner)}'
            )
        self._write(runner)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Collect the bad clips that clips of the batch replace."""
        for sample in without_labels(read_samples(data_batch)):
            self._of_epoch += getattr(sample, REPLACED_KEY, [])

    def after_train_epoch(self, runner: Runner) -> None:
        """Report the clips replaced in the epoch."""
        gathered = [sample for part in all_gather_object(self._of_epoch) for sample in part]
        self._of_epoch = []
        if not gathered:
            return
        for sample in gathered:
            self._replaced[sample] = self._replaced.get(sample, 0) + 1
        runner.logger.warning(
            f'{len(gathered)} draw(s) of bad clips in this epoch were replaced by other clips: '
            f'{describe_bad_samples(gathered)}. All are listed in {self._path(runner)}'
        )
        self._write(runner)

    def after_train(self, runner: Runner) -> None:
        """Report the rest, where training ends within an epoch."""
        self.after_train_epoch(runner)

    @staticmethod
    def _path(runner: Runner) -> Path:
        return Path(runner.log_dir) / REPORT_FILE

    @staticmethod
    def _left_out(runner: Runner) -> list[BadSample]:
        found = _motion_datasets(runner.train_dataloader.dataset)
        return [sample for dataset in found for sample in dataset.left_out]

    def _write(self, runner: Runner) -> None:
        left_out = self._left_out(runner)
        if not is_main_process() or not (left_out or self._replaced):
            return
        report = dict(
            left_out=[asdict(sample) for sample in left_out],
            replaced=[dict(asdict(sample), draws=n) for sample, n in self._replaced.items()],
        )
        path = self._path(runner)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2) + '\n')


def _motion_datasets(dataset: Any) -> Iterator[MotionDataset]:
    """Yield the motion datasets that a dataset is made of, or itself."""
    if isinstance(dataset, MotionDataset):
        yield dataset
        return
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    inner = inner.values() if isinstance(inner, dict) else inner  # MMEngine's wrappers have lists.
    for part in inner:
        if part is not None:
            yield from _motion_datasets(part)
