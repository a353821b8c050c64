"""Limit on the history of logged values."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...core.checks import check_at_least
from ...registry import HOOKS


@HOOKS.register_module()
class LogHistoryHook(Hook):
    """Keep only the last values of each logged scalar.

    MMEngine keeps a million of each, copies them whenever one is added and writes them into every
    checkpoint, which slows long runs down. Log files and TensorBoard are not affected. Priority
    ``LOWEST``, after all hooks that log; no state.

    Args:
        max_length (int): Values to keep of each scalar; at least the averaging windows of
            ``log_processor``. Defaults to 2000.

    Raises:
        ConfigError: If ``max_length`` is below 1.
    """

    priority = 'LOWEST'

    def __init__(self, max_length: int = 2000) -> None:
        check_at_least(1, max_length=max_length)
        self.max_length = max_length
        self._num_bounded = 0

    def before_train(self, runner: Runner) -> None:
        """Limit the histories of a checkpoint, and warn if the log averages over more values."""
        self._num_bounded = 0
        self._bound(runner)
        epoch = len(runner.train_dataloader)
        for entry in runner.log_processor.custom_cfg:
            window = entry.get('window_size')
            longest = {'epoch': epoch, 'global': float('inf')}.get(window, window) or 0
            if longest > self.max_length:
                runner.logger.warning(
                    f'`log_processor` averages {entry["data_src"]!r} over {window!r} values, but '
                    f'only {self.max_length} are kept: raise `max_length` of LogHistoryHook'
                )

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Limit the histories of scalars that were logged for the first time."""
        self._bound(runner)

    def _bound(self, runner: Runner) -> None:
        buffers = runner.message_hub.log_scalars
        if len(buffers) == self._num_bounded:
            return
        self._num_bounded = len(buffers)
        for buffer in buffers.values():
            # Takes effect when the next value is added.
            buffer.max_length = self.max_length
