"""Which iterations have updated the student."""

from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner

from ..core.errors import ConfigError

STUDENT = 'model'
"""Key of the student's optimiser where there are several."""


class StudentUpdates:
    """Tell after each iteration whether the student has just been updated.

    Iterations that only accumulate gradients, do not use the student's optimiser, or whose update
    was skipped (:class:`DivergenceGuardHook`) have not.

    Args:
        hook (str): Name of the hook that asks, for messages.
        optimizer (str): The student's key where there are several optimisers. Defaults to
            ``'model'``.
    """

    def __init__(self, hook: str, optimizer: str = STUDENT) -> None:
        self.hook, self.optimizer = hook, optimizer
        self._last_count = 0

    def start(self, runner: Runner) -> None:
        """Count from here on."""
        self._last_count = self.wrapper(runner)._inner_count

    def happened(self, runner: Runner) -> bool:
        """Return whether this iteration has updated the student; to be asked once in each."""
        wrapper = self.wrapper(runner)
        # `should_update` alone would also be true of an optimiser without a backward pass.
        used = wrapper._inner_count != self._last_count
        self._last_count = wrapper._inner_count
        # Wrappers of other packages have no `last_skip`.
        skipped = getattr(wrapper, 'last_skip', None) is not None
        return used and wrapper.should_update() and not skipped

    def wrapper(self, runner: Runner) -> OptimWrapper:
        """Return the student's optimiser wrapper.

        Raises:
            ConfigError: If no optimiser has the key.
        """
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, OptimWrapperDict):
            return wrapper
        if self.optimizer not in wrapper:
            raise ConfigError(
                f'`optimizer` of {self.hook} should be one of {sorted(wrapper.keys())}, got '
                f'{self.optimizer!r}'
            )
        return wrapper[self.optimizer]
