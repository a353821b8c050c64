"""Exponential moving average of the student: the mean teacher."""

from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...core.errors import ConfigError
from ...registry import HOOKS
from ..student_updates import STUDENT, StudentUpdates
from ..unwrap import unwrap_model


@HOOKS.register_module()
class MeanTeacherHook(Hook):
    """Call ``model.update_teacher(momentum)`` after each update of the student.

    Other iterations (:class:`.StudentUpdates`) do not change the teacher. The warm-up counts from
    ``runner.iter``, so the hook has no state. Priority ``NORMAL``, before hooks that evaluate or
    save.

    Args:
        momentum (float): Weight of the student in each update, in (0, 1]; with 1 the teacher is a
            copy of the student. Defaults to 0.001.
        warmup (bool): Whether update i, from 0, uses ``max(momentum, 1 / (i + 1))``, the plain
            average of all students so far. For training from scratch; trained initial weights would
            be forgotten. Defaults to False.
        skip_buffers (bool, optional): Whether the teacher keeps its own buffers. Defaults to None,
            the default of ``update_teacher``.
        optimizer (str): The student's key where there are several optimisers. Defaults to
            ``'model'``.

    Raises:
        ConfigError: If ``momentum`` is not in (0, 1].
    """

    def __init__(
        self,
        momentum: float = 0.001,
        warmup: bool = False,
        skip_buffers: Optional[bool] = None,
        optimizer: str = STUDENT,
    ) -> None:
        if not 0 < momentum <= 1:
            raise ConfigError(f'`momentum` should be in (0, 1], got {momentum}')
        self.momentum = momentum
        self.warmup = warmup
        self.skip_buffers = skip_buffers
        self.optimizer = optimizer
        self._updates = StudentUpdates('MeanTeacherHook', optimizer)

    def momentum_at(self, update: int) -> float:
        """Return the momentum of an update, counted from 0."""
        return max(self.momentum, 1 / (update + 1)) if self.warmup else self.momentum

    def before_train(self, runner: Runner) -> None:
        """Check that the model has a teacher.

        Raises:
            ConfigError: If it has none.
        """
        if not hasattr(unwrap_model(runner), 'update_teacher'):
            raise ConfigError(
                f'{type(unwrap_model(runner)).__name__} has no method `update_teacher`: '
                'MeanTeacherHook is for models such as DomainAdaptiveGVHMR; remove the hook or '
                'change the model'
            )
        self._updates.start(runner)

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Update the teacher if the student has just been updated."""
        if self._updates.happened(runner):
            update = runner.iter // self._updates.wrapper(runner)._accumulative_counts
            options = {} if self.skip_buffers is None else dict(skip_buffers=self.skip_buffers)
            unwrap_model(runner).update_teacher(self.momentum_at(update), **options)
