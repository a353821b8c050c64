"""Check of schedules that end before the training, which MMEngine then stops in the middle."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from mmengine.optim.scheduler.param_scheduler import INF

from ..core.errors import ConfigError


class ScheduleSpan(NamedTuple):
    """Steps of a schedule, in epochs or in iterations.

    Args:
        total (int): Steps that it has values for.
        begin (int): First epoch or iteration. Defaults to 0.
        end (int): First one that it leaves alone. Defaults to that of MMEngine's schedules without
            one.
        by_epoch (bool): Whether these are epochs. Defaults to True.
    """

    total: int
    begin: int = 0
    end: int = INF
    by_epoch: bool = True

    def check(self, where: str, epochs: Optional[int], iterations: Optional[int]) -> None:
        """Raise :class:`ConfigError` if the training goes on for longer; None: not known yet.

        Args:
            where (str): Place of the schedule in the config.
            epochs (int, optional): Epochs of the training.
            iterations (int, optional): Iterations of the training.
        """
        steps, unit = (epochs, 'epochs') if self.by_epoch else (iterations, 'iterations')
        if steps is None or min(steps, self.end - 1) - self.begin <= self.total:
            return
        raise ConfigError(
            f'`{where}` has {self.total} steps (`total_steps`), but the training has {steps} '
            f'{unit}: set `total_steps` to {steps - self.begin}, or `end` to '
            f'{self.begin + self.total}, from where the learning rate stays as it is'
        )


def check_schedules(schedules: Any, epochs: int, iterations: int) -> None:
    """Check the schedules of a run that is about to start.

    Args:
        schedules (list | dict, optional): ``runner.param_schedulers``.
        epochs (int): Epochs of the training.
        iterations (int): Iterations of the training.

    Raises:
        ConfigError: If one ends before the training.
    """
    for where, schedule in _named(schedules, 'param_scheduler'):
        total = getattr(schedule, 'total_steps', None)
        if total is not None:
            span = ScheduleSpan(total, schedule.begin, schedule.end, schedule.by_epoch)
            span.check(where, epochs, iterations)


def _named(schedules: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(schedules, (dict, list)):
        inner = schedules.items() if isinstance(schedules, dict) else enumerate(schedules)
        for name, part in inner:
            yield from _named(part, f'{where}.{name}')
    elif schedules is not None:
        yield where, schedules
