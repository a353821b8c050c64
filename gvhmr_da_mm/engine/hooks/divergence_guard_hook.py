"""Detection of divergence: updates that are not finite are skipped, and at last stop the run."""

from dataclasses import asdict
from typing import Optional

from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

from ...core.checks import check_at_least
from ...core.errors import DivergenceError
from ...registry import HOOKS
from ..optim_wrappers import FiniteStepMixin
from ..skip_report import SkipReport, TrainedBatch
from ..unwrap import unwrap_model

SINGLE_OPTIMIZER = 'model'
"""Key of the optimiser where there is only one."""


@HOOKS.register_module()
class DivergenceGuardHook(Hook):
    """Make the optimisers skip updates that are not finite, and stop after several in a row.

    Sets :attr:`FiniteStepMixin.guard_steps` of each optimiser, so weights, optimiser states and
    (through :class:`MeanTeacherHook`) the teacher stay unchanged where a loss or a gradient is NaN
    or infinite. The total is logged as ``skipped_steps``. Skips in a row are counted by optimiser
    and domain: finite batches of one domain would hide that nothing is learned from the other.
    :class:`TrainingStateHook` keeps the counts in checkpoints. Priority ``NORMAL``.

    Args:
        patience (int): Skipped updates in a row that stop the run with a
            :class:`DivergenceError`. Defaults to 10.

    Raises:
        ConfigError: If ``patience`` is below 1.
    """

    def __init__(self, patience: int = 10) -> None:
        check_at_least(1, patience=patience)
        self.patience = patience
        self._wrappers: dict[str, OptimWrapper] = {}
        self._batches: dict[str, list[TrainedBatch]] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._first: dict[str, SkipReport] = {}
        self._total = 0
        self._streaks: dict[str, int] = {}

    def before_train(self, runner: Runner) -> None:
        """Turn on the guard of each optimiser."""
        wrapper = runner.optim_wrapper
        several = isinstance(wrapper, OptimWrapperDict)
        wrappers = dict(wrapper.items()) if several else {SINGLE_OPTIMIZER: wrapper}
        for part, one in wrappers.items():
            if not isinstance(one, FiniteStepMixin):
                runner.logger.warning(
                    f'DivergenceGuardHook cannot guard the optimiser {part!r}: '
                    f'{type(one).__name__} has no FiniteStepMixin. Leave its `type` out and use '
                    'PrecisionOptimWrapperConstructor'
                )
        self._wrappers = {p: one for p, one in wrappers.items() if isinstance(one, FiniteStepMixin)}
        for one in self._wrappers.values():
            one.guard_steps = True
        self._total, self._streaks, self._first = 0, {}, {}
        self._batches = {part: [] for part in self._wrappers}
        self._seen = {part: _counts(one) for part, one in self._wrappers.items()}

    def state_dict(self) -> dict:
        """Return the counts, and the batches of the current accumulations."""
        batches = {
            part: [asdict(batch) for batch in batches] for part, batches in self._batches.items()
        }
        return dict(total=self._total, streaks=dict(self._streaks), batches=batches)

    def load_state_dict(self, state: dict) -> None:
        """Set what :meth:`state_dict` returned."""
        self._total, self._streaks = state['total'], dict(state['streaks'])
        for part, batches in state['batches'].items():
            self._batches[part] = [TrainedBatch(**batch) for batch in batches]

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Check the updates that were due in this iteration.

        Raises:
            DivergenceError: If ``patience`` updates in a row were skipped.
        """
        batch = None
        for part, wrapper in self._wrappers.items():
            (losses, steps), self._seen[part] = self._seen[part], _counts(wrapper)
            if wrapper.steps_due != steps and wrapper.last_skip is None and not self._streaks:
                self._batches[part] = []  # Nothing to tell: to name the clips takes time.
                continue
            batch = batch or TrainedBatch.of(runner.iter + 1, data_batch, outputs)
            if wrapper.inner_count != losses:
                self._batches[part].append(batch)
            if wrapper.steps_due != steps:
                batches, self._batches[part] = self._batches[part], []
                self._judge(runner, part, wrapper, batches)
        runner.message_hub.update_scalar('train/skipped_steps', self._total)

    def _judge(
        self, runner: Runner, part: str, wrapper: FiniteStepMixin, batches: list[TrainedBatch]
    ) -> None:
        skip = wrapper.last_skip
        domain = '+'.join(sorted({batch.domain for batch in batches}))
        streak = f'{part} {domain}'
        if skip is None:
            self._streaks.pop(streak, None)
            self._first.pop(streak, None)
            return
        if not skip.counts:
            return
        report = SkipReport.of(part, skip, batches, unwrap_model(runner))
        self._first.setdefault(streak, report)
        self._total += 1
        self._streaks[streak] = self._streaks.get(streak, 0) + 1
        in_a_row = self._streaks[streak]
        if in_a_row >= self.patience:
            raise DivergenceError(self._diagnosis(runner, streak, report))
        runner.logger.warning(
            f'update of `{part}` skipped ({in_a_row} in a row, {self.patience} stop the run): '
            f'{report.cause}; {report.where}'
        )

    def _diagnosis(self, runner: Runner, streak: str, last: SkipReport) -> str:
        first = self._first[streak]
        lines = [
            f'divergence at iteration {runner.iter + 1}: {self._streaks[streak]} updates of '
            f'`{last.part}` in a row were skipped, {self._total} in all',
            f'  last: {last.cause}; {last.where}',
        ]
        if first is not last:
            lines.append(f'  first: {first.cause}; {first.where}')
        lines.append(
            'The weights are unchanged by skipped updates: the last checkpoint in '
            f'{runner.work_dir} is good. Look at the clips with '
            '`tools/dataset_tools/browse_dataset.py`; if the clips differ each time, lower the '
            'learning rate, set `clip_grad`, or use `precision` bf16 or fp32 instead of fp16'
        )
        return '\n'.join(lines)


def _counts(wrapper: FiniteStepMixin) -> tuple[int, int]:
    """Return the numbers of backward passes and of due updates so far."""
    return wrapper.inner_count, wrapper.steps_due
