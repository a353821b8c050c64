"""Warnings if no clip, or every clip, is selected as a pseudo-label."""

from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner

from ...core.checks import check_at_least
from ...registry import HOOKS

LOG_KEY = 'selection_rate'


@HOOKS.register_module()
class SelectionRateHook(Hook):
    """Warn, once each, if the selection rate was 0, or was 1, for a whole epoch.

    At 0, training on real clips uses no pseudo-labels. At 1, the confidence no longer separates
    good labels from bad ones, for example because the teacher has collapsed to motion that the
    discriminator scores high; a threshold of 0 is exempt. Epochs without a real iteration do not
    count. Reads ``selection_rate`` of the model's log values. Priority ``NORMAL``.

    Args:
        interval (int, optional): Iterations between checks, for iteration-based loops, which have a
            single epoch. Defaults to None, a check after each epoch.
        min_batches (int): Real batches below which a rate of 1 may be chance and is not warned
            about. Defaults to 10.

    Raises:
        ConfigError: If ``interval`` or ``min_batches`` is below 1.
    """

    def __init__(self, interval: Optional[int] = None, min_batches: int = 10) -> None:
        check_at_least(1, interval=interval, min_batches=min_batches)
        self.interval = interval
        self.min_batches = min_batches
        self._rates: list[float] = []
        self._ever_between = False
        self._warned: set[str] = set()

    def state_dict(self) -> dict[str, Any]:
        """Return the rates and the warnings given so far, for :class:`TrainingStateHook`."""
        return dict(
            rates=list(self._rates), ever_between=self._ever_between, warned=sorted(self._warned)
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the state that :meth:`state_dict` returned."""
        self._rates, self._ever_between = list(state_dict['rates']), state_dict['ever_between']
        self._warned = set(state_dict['warned'])

    def before_train_epoch(self, runner: Runner) -> None:
        """Reset the rates."""
        self._rates = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Collect the rate, and check the last ``interval`` iterations."""
        if outputs is not None and LOG_KEY in outputs:
            self._rates.append(float(outputs[LOG_KEY]))
        if self.interval is not None and self.every_n_train_iters(runner, self.interval):
            self._check(runner, f'{self.interval} iterations')

    def after_train_epoch(self, runner: Runner) -> None:
        """Check the epoch."""
        if self.interval is None:
            self._check(runner, f'epoch {runner.epoch + 1}')

    def _check(self, runner: Runner, period: str) -> None:
        rates, self._rates = self._rates, []
        if not rates:  # An epoch may have had synthetic batches only.
            return
        threshold = runner.message_hub.log_scalars.get('train/confidence_threshold')
        value = None if threshold is None else float(threshold.current())
        now = '' if value is None else f' (the threshold is {value:.3g})'
        if max(rates) <= 0:
            self._warn(runner, 'none', self._none_selected(period, now, len(rates)))
        elif min(rates) >= 1 and len(rates) >= self.min_batches and value != 0:
            self._warn(runner, 'all', self._all_selected(period, now, len(rates)))
        self._ever_between = self._ever_between or 0 < max(rates) and min(rates) < 1

    def _warn(self, runner: Runner, kind: str, message: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            runner.logger.warning(message)

    def _none_selected(self, period: str, now: str, count: int) -> str:
        rose = ' It was higher before: the threshold rose, or the confidence fell.'
        before = rose if self._ever_between else ''
        return (
            f'No pseudo-label was selected during {period}{now}: the selection rate was 0 '
            f'{count} times.{before} Lower `start` and `end` of ConfidenceThresholdHook below '
            '`confidence_mean` in the log. Only a critic without `target`, whose scores gather '
            "near 0.5, benefits from `model.critic.calibrator.mode='quantile'`, which selects none "
            'before it has seen `min_scores` true motions.'
        )

    def _all_selected(self, period: str, now: str, count: int) -> str:
        before = ' It was lower before: it has jumped.' if self._ever_between else ''
        return (
            f'Every real clip was selected during {period}{now}: the selection rate was 1 in all '
            f'{count} real batches.{before} The confidence no longer separates good pseudo-labels '
            'from bad ones. Check `reprojection_error`: if it rises, student and teacher drift '
            'away together; stop, and use a smaller `model.losses.pseudo.loss_weight`, or '
            '`model.pseudo_labeler.confidence.weights` with `reprojection`. Otherwise raise '
            '`start` and `end` of ConfidenceThresholdHook '
            'above `confidence_mean` in the log.'
        )
