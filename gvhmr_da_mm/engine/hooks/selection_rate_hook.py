"""Warnings when no clip, or every clip, becomes a pseudo-label."""

from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner

from ...core.checks import check_at_least
from ...registry import HOOKS

VALUE = 'selection_rate'


@HOOKS.register_module()
class SelectionRateHook(Hook):
    """Warn, once each, if the selection rate was 0, or was 1, for a whole epoch.

    With a rate of 0 training on real clips goes on without pseudo-labels; with a rate of 1 the
    confidence no longer tells good labels from bad ones, as when the teacher has collapsed to
    motion that the discriminator likes. Nothing but the rate in the log would tell. Epochs without
    a real iteration do not count. A rate of 1 is expected with a threshold of 0. Priority
    ``NORMAL``; it reads ``selection_rate`` of the model's log values.

    Args:
        interval (int, optional): Look every so many iterations as well, for iteration-based loops,
            which have a single epoch. Defaults to None: at the end of each epoch.
        min_batches (int): Real batches that must all have been chosen whole before that is warned
            about: a few small ones are by chance. Defaults to 10.

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
        """Return what has been seen so far, for :class:`TrainingStateHook`."""
        return dict(
            rates=list(self._rates), ever_between=self._ever_between, warned=sorted(self._warned)
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` returned."""
        self._rates, self._ever_between = list(state_dict['rates']), state_dict['ever_between']
        self._warned = set(state_dict['warned'])

    def before_train_epoch(self, runner: Runner) -> None:
        """Begin to count."""
        self._rates = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Note the rate, and look at the last ``interval`` iterations."""
        if outputs is not None and VALUE in outputs:
            self._rates.append(float(outputs[VALUE]))
        if self.interval is not None and self.every_n_train_iters(runner, self.interval):
            self._look(runner, f'{self.interval} iterations')

    def after_train_epoch(self, runner: Runner) -> None:
        """Look at the epoch."""
        if self.interval is None:
            self._look(runner, f'epoch {runner.epoch + 1}')

    def _look(self, runner: Runner, period: str) -> None:
        rates, self._rates = self._rates, []
        if not rates:  # An epoch may have had synthetic batches only.
            return
        threshold = runner.message_hub.log_scalars.get('train/confidence_threshold')
        value = None if threshold is None else float(threshold.current())
        now = '' if value is None else f' (the threshold is {value:.3g})'
        if max(rates) <= 0:
            self._warn(runner, 'none', self._nothing_chosen(period, now, len(rates)))
        elif min(rates) >= 1 and len(rates) >= self.min_batches and value != 0:
            self._warn(runner, 'all', self._all_chosen(period, now, len(rates)))
        self._ever_between = self._ever_between or 0 < max(rates) and min(rates) < 1

    def _warn(self, runner: Runner, kind: str, message: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            runner.logger.warning(message)

    def _nothing_chosen(self, period: str, now: str, count: int) -> str:
        before = ' It was higher before: the selection has collapsed.' if self._ever_between else ''
        return (
            f'Not one pseudo-label was chosen during {period}{now}: the selection rate was 0 '
            f'{count} times.{before} Lower `start` and `end` of ConfidenceThresholdHook below '
            '`confidence_mean` in the log. Only a critic without `target`, whose scores gather '
            "near 0.5, gains by `model.critic.calibrator.mode='quantile'`, which chooses nothing "
            'before it has seen `min_scores` true motions.'
        )

    def _all_chosen(self, period: str, now: str, count: int) -> str:
        before = ' It was lower before: it has jumped.' if self._ever_between else ''
        return (
            f'Every real clip became a pseudo-label during {period}{now}: the selection rate was 1 '
            f'in all {count} real batches.{before} The confidence no longer tells good from bad. '
            'Look at `reprojection_error`: if it rises, student and teacher lead each other '
            'astray; stop, and use a smaller `model.losses.pseudo.loss_weight`, or '
            '`model.pseudo_labeler.confidence.weights` with `reprojection`. Otherwise raise '
            '`start` and `end` of ConfidenceThresholdHook '
            'above `confidence_mean` in the log.'
        )
