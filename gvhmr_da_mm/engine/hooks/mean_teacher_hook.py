"""The teacher follows the student."""

from typing import Optional

from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

from ...core.errors import ConfigError
from ...registry import HOOKS
from ..unwrap import unwrap_model


@HOOKS.register_module()
class MeanTeacherHook(Hook):
    """Call ``model.update_teacher(momentum)`` after each update of the student.

    Iterations that only accumulate gradients, that leave the student's optimiser alone, or whose
    update was skipped (:class:`DivergenceGuardHook`) move nothing. The hook has no state to save:
    the warm-up counts from ``runner.iter``. Priority ``NORMAL``, so that hooks that evaluate or
    save afterwards see the new teacher.

    Args:
        momentum (float): Share of the student per update, in (0, 1]; with 1 the teacher is always a
            copy of the student. Defaults to 0.001.
        warmup (bool): Start with the plain average of all students so far: update i, from 0, uses
            ``max(momentum, 1 / (i + 1))``. For a student that starts from scratch; one that starts
            from trained weights is worth remembering. Defaults to False.
        skip_buffers (bool, optional): Passed on to ``update_teacher`` if set: whether the teacher
            keeps its own buffers. Defaults to None, the model's own choice.
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
        optimizer: str = 'model',
    ) -> None:
        if not 0 < momentum <= 1:
            raise ConfigError(f'`momentum` should be in (0, 1], got {momentum}')
        self.momentum = momentum
        self.warmup = warmup
        self.skip_buffers = skip_buffers
        self.optimizer = optimizer
        self._last_count: Optional[int] = None

    def momentum_at(self, update: int) -> float:
        """Return the momentum of an update, counted from 0."""
        return max(self.momentum, 1 / (update + 1)) if self.warmup else self.momentum

    def before_train(self, runner: Runner) -> None:
        """Check that the model has a teacher."""
        if not hasattr(unwrap_model(runner), 'update_teacher'):
            raise ConfigError(
                f'{type(unwrap_model(runner)).__name__} has no method `update_teacher`: '
                'MeanTeacherHook is for models such as DomainAdaptiveGVHMR; remove the hook or '
                'change the model'
            )
        self._last_count = self._student_optimizer(runner)._inner_count

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: Optional[dict] = None,
    ) -> None:
        """Move the teacher if the student has just been updated."""
        optimizer = self._student_optimizer(runner)
        # The count of backward passes tells an untouched optimiser from one that has just stepped.
        touched = optimizer._inner_count != self._last_count
        self._last_count = optimizer._inner_count
        # Wrappers of other packages skip nothing that they would tell of.
        skipped = getattr(optimizer, 'last_skip', None) is not None
        if touched and optimizer.should_update() and not skipped:
            update = runner.iter // optimizer._accumulative_counts
            options = {} if self.skip_buffers is None else dict(skip_buffers=self.skip_buffers)
            unwrap_model(runner).update_teacher(self.momentum_at(update), **options)

    def _student_optimizer(self, runner: Runner) -> OptimWrapper:
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, OptimWrapperDict):
            return wrapper
        if self.optimizer not in wrapper:
            raise ConfigError(
                f'`optimizer` of MeanTeacherHook should be one of {sorted(wrapper.keys())}, got '
                f'{self.optimizer!r}'
            )
        return wrapper[self.optimizer]
