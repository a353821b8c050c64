"""Loading of checkpoints in a run, without executing code from them."""

from contextlib import AbstractContextManager
from typing import Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...registry import HOOKS
from ..safe_loading import safe_checkpoint_loading


@HOOKS.register_module()
class SafeLoadingHook(Hook):
    """Load ``load_from``, ``resume`` and ``Pretrained`` weights of a run with a restricted reader.

    MMEngine's loaders are restored when the run ends; a run that fails leaves the restricted one
    in place. Priority ``VERY_HIGH``, no state.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._loading: Optional[AbstractContextManager] = None

    def before_run(self, runner: Runner) -> None:
        """Replace MMEngine's loaders."""
        if self._loading is None:
            self._loading = safe_checkpoint_loading()
            self._loading.__enter__()

    def after_run(self, runner: Runner) -> None:
        """Restore MMEngine's loaders."""
        if self._loading is not None:
            loading, self._loading = self._loading, None
            loading.__exit__(None, None, None)
