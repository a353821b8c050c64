"""Detection of the collapse of student and teacher."""

from math import isfinite
from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner

from ...core.checks import check_choice
from ...core.errors import ConfigError, TrainingCollapseError
from ...registry import HOOKS

LOG_KEY = 'reprojection_error'
ACTIONS = ('stop', 'warn')


@HOOKS.register_module()
class CollapseGuardHook(Hook):
    """Stop a run whose reprojection error on real clips rises; needs no labels.

    Student and teacher can drift together while every loss falls, where nothing ties the
    pseudo-labels to the image; the reprojection error shows it. Reads ``reprojection_error`` of
    the model's log values. Priority ``NORMAL``.

    Args:
        factor (float): A mean error above this multiple of the lowest mean so far is a collapse.
            Defaults to 1.4.
        floor (float): Mean errors up to this are never a collapse, in box sides. Defaults to 0.1.
        window (int): Real iterations to average over. Defaults to 20.
        action (str): ``'stop'`` raises a :class:`TrainingCollapseError`, ``'warn'`` warns once.
            Defaults to ``'stop'``.

    Raises:
        ConfigError: If a value is out of range.
    """

    def __init__(
        self, factor: float = 1.4, floor: float = 0.1, window: int = 20, action: str = 'stop'
    ) -> None:
        if factor <= 1 or floor < 0 or window < 1:
            raise ConfigError(
                'CollapseGuardHook needs `factor` > 1, `floor` >= 0 and `window` >= 1, got '
                f'{factor}, {floor} and {window}'
            )
        check_choice(action, ACTIONS, 'action')
        self.factor = factor
        self.floor = floor
        self.window = window
        self.action = action
        self._recent: list[float] = []
        self._lowest = float('inf')
        self._warned = False

    def state_dict(self) -> dict[str, Any]:
        """Return the recent errors and the lowest mean, for :class:`TrainingStateHook`."""
        return dict(recent=list(self._recent), lowest=self._lowest, warned=self._warned)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the state that :meth:`state_dict` returned."""
        self._recent = list(state_dict['recent'])
        self._lowest, self._warned = state_dict['lowest'], state_dict['warned']

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Check the mean error after an iteration on real clips.

        Raises:
            TrainingCollapseError: If it collapsed, and ``action`` is ``'stop'``.
        """
        if outputs is None or LOG_KEY not in outputs:
            return
        error = float(outputs[LOG_KEY])
        if not isfinite(error):  # A single bad batch, which DivergenceGuardHook deals with.
            return
        self._recent = [*self._recent, error][-self.window :]
        if len(self._recent) < self.window:
            return
        mean = sum(self._recent) / self.window
        self._lowest = min(self._lowest, mean)
        if mean <= max(self.factor * self._lowest, self.floor) or self._warned:
            return
        message = (
            f'collapse at iteration {runner.iter + 1}: predictions on real clips are now '
            f'{mean:.3f} box sides from the detected keypoints, {mean / self._lowest:.1f} times as '
            f'far as at best ({self._lowest:.3f}). Student and teacher drift away together. '
            'Use a smaller `momentum` of MeanTeacherHook, a smaller '
            '`model.losses.pseudo.loss_weight`, a higher confidence threshold or '
            '`model.losses.reprojection.loss_weight` > 0; the last checkpoint before this is in '
            f'{runner.work_dir}'
        )
        if self.action == 'stop':
            raise TrainingCollapseError(message)
        self._warned = True
        runner.logger.warning(message)
