"""Schedule of the pseudo-label confidence threshold."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from ...core.checks import check_at_least
from ...core.errors import ConfigError
from ...registry import HOOKS
from ..unwrap import unwrap_model


@HOOKS.register_module()
class ConfidenceThresholdHook(Hook):
    """Set and log ``model.pseudo_labeler.threshold`` before every epoch (or iteration).

    The threshold depends on the progress only, so it needs no state in checkpoints. Priority
    ``NORMAL``.

    Args:
        start (float): First threshold. Defaults to 0.4.
        end (float): Last threshold; with 1 or more no pseudo-label is selected in the end, which
            is warned about. Defaults to 0.5.
        step (float): Increase every ``interval``. Defaults to 0.05.
        interval (int): Epochs, or iterations, between steps. Defaults to 100.
        by_epoch (bool): Whether ``interval`` counts epochs. Defaults to True.

    Raises:
        ConfigError: If the threshold would fall, is negative, or the interval is below 1.
    """

    def __init__(
        self,
        start: float = 0.4,
        end: float = 0.5,
        step: float = 0.05,
        interval: int = 100,
        by_epoch: bool = True,
    ) -> None:
        if not 0 <= start <= end:
            raise ConfigError(
                f'ConfidenceThresholdHook needs 0 <= `start` <= `end`, got {start} and {end}'
            )
        if not step >= 0:
            raise ConfigError(
                f'`step` of ConfidenceThresholdHook should not be negative, got {step}'
            )
        check_at_least(1, interval=interval)
        self.start = float(start)
        self.end = float(end)
        self.step = float(step)
        self.interval = interval
        self.by_epoch = by_epoch

    def threshold_at(self, progress: int) -> float:
        """Return the threshold after ``progress`` finished epochs (or iterations)."""
        value = self.start + self.step * (progress // self.interval)
        # Rounded, so that .6 + 6 * .05 is .9 and not the float below it.
        return min(round(value, 10), self.end)

    def before_train(self, runner: Runner) -> None:
        """Check that the loop and the model fit, and warn about an end of 1 or more.

        Raises:
            ConfigError: If the loop has no epochs to count, or the model no pseudo-labeler.
        """
        if self.by_epoch and isinstance(runner.train_loop, IterBasedTrainLoop):
            raise ConfigError(
                'ConfidenceThresholdHook got `by_epoch=True` with an iteration-based loop, which '
                'has a single epoch: the threshold would never change. Set `by_epoch=False` and '
                '`interval` in iterations'
            )
        if not hasattr(unwrap_model(runner), 'pseudo_labeler'):
            raise ConfigError(
                f'{type(unwrap_model(runner)).__name__} has no `pseudo_labeler`: '
                'ConfidenceThresholdHook is for models such as DomainAdaptiveGVHMR; remove the '
                'hook or change the model'
            )
        if self.end >= 1:
            runner.logger.warning(
                f'`end` of ConfidenceThresholdHook is {self.end}, but a confidence never exceeds '
                '1: from then on no pseudo-label is selected, and real clips train with the '
                'unsupervised losses only. Use 0.9 or less to avoid this.'
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Update the threshold for the epoch."""
        if self.by_epoch:
            self._write(runner, self.threshold_at(runner.epoch))

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Update the threshold for the iteration."""
        if not self.by_epoch:
            self._write(runner, self.threshold_at(runner.iter))

    @staticmethod
    def _write(runner: Runner, threshold: float) -> None:
        unwrap_model(runner).pseudo_labeler.threshold = threshold
        runner.message_hub.update_scalar('train/confidence_threshold', threshold)
