"""A warning when no pseudo-label is ever chosen."""

from typing import Optional, Union

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...core.errors import ConfigError
from ...registry import HOOKS

DATA_BATCH = Optional[Union[dict, tuple, list]]
VALUE = 'selection_rate'


@HOOKS.register_module()
class SelectionRateHook(Hook):
    """Warn, once, if the selection rate was 0 for a whole epoch.

    Training on real clips then goes on without pseudo-labels, and nothing but the rate in the log
    would tell. Epochs without a real iteration do not count. Priority ``NORMAL``; it reads
    ``selection_rate`` of the model's log values.

    Args:
        interval (int, optional): Look every so many iterations as well, for iteration-based loops,
            which have a single epoch. Defaults to None: at the end of each epoch.

    Raises:
        ConfigError: If ``interval`` is below 1.
    """

    def __init__(self, interval: Optional[int] = None) -> None:
        if interval is not None and interval < 1:
            raise ConfigError(f'`interval` should be at least 1, got {interval}')
        self.interval = interval
        self._count = 0
        self._highest = 0.0
        self._warned = False

    def before_train_epoch(self, runner: Runner) -> None:
        """Begin to count."""
        self._count, self._highest = 0, 0.0

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Note the rate, and look at the last ``interval`` iterations."""
        if outputs is not None and VALUE in outputs:
            self._count += 1
            self._highest = max(self._highest, float(outputs[VALUE]))
        if self.interval is not None and self.every_n_train_iters(runner, self.interval):
            self._look(runner, f'{self.interval} iterations')

    def after_train_epoch(self, runner: Runner) -> None:
        """Look at the epoch."""
        if self.interval is None:
            self._look(runner, f'epoch {runner.epoch + 1}')

    def _look(self, runner: Runner, period: str) -> None:
        count, highest = self._count, self._highest
        self._count, self._highest = 0, 0.0
        # An epoch may have had synthetic batches only.
        if self._warned or not count or highest > 0:
            return
        self._warned = True
        threshold = runner.message_hub.log_scalars.get('train/confidence_threshold')
        now = '' if threshold is None else f' (the threshold is {threshold.current():.3g})'
        runner.logger.warning(
            f'Not one pseudo-label was chosen during {period}{now}: the selection rate was 0 '
            f'{count} times. Lower `confidence_threshold_start` and '
            '`confidence_threshold_end` of ConfidenceThresholdHook below `confidence_mean` in the '
            "log. With `model.confidence_calibration='none'`, try 'quantile': a least-squares "
            'discriminator scores near 0.5 once it has converged. A quantile needs '
            '`model.calibrator.min_scores` true motions first, so very short runs choose nothing.'
        )
