"""Early stopping that keeps its state when training resumes."""

from math import isfinite, nan
from typing import Any

from mmengine.hooks import EarlyStoppingHook as MMEngineEarlyStoppingHook
from mmengine.runner import Runner

from ...registry import HOOKS


@HOOKS.register_module()
class EarlyStoppingHook(MMEngineEarlyStoppingHook):
    """MMEngine's early stopping, by default for metrics that are errors.

    A validation whose metric is missing or NaN is warned about and does not count. The best value
    and the count are part of checkpoints. Runs that only validate are not affected.

    Args:
        monitor (str): Metric to watch, such as ``'emdb1/pa_mpjpe'``.
        rule (str): Whether ``'less'`` or ``'greater'`` is better. Defaults to ``'less'``.
        kwargs (Any): As for :class:`mmengine.hooks.EarlyStoppingHook`.
    """

    def __init__(self, monitor: str, rule: str = 'less', **kwargs: Any) -> None:
        super().__init__(monitor=monitor, rule=rule, **kwargs)
        self._trains = False

    def before_run(self, runner: Runner) -> None:
        """Skip MMEngine's check, which fails in runs that do not train."""

    def before_train(self, runner: Runner) -> None:
        """Count validations from here on."""
        self._trains = True

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Decide whether to stop."""
        if not self._trains:
            return
        if isfinite(metrics.get(self.monitor, nan)):
            super().after_val_epoch(runner, metrics)
        else:
            runner.logger.warning(
                f'Early stopping: this validation has no `{self.monitor}` and does not count'
            )

    def state_dict(self) -> dict[str, Any]:
        """Return the best value and the number of validations since."""
        return dict(best_score=self.best_score, wait_count=self.wait_count)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set what :meth:`state_dict` returned."""
        self.best_score, self.wait_count = state['best_score'], state['wait_count']
