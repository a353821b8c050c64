"""Time that the stages of the work on a video take, and their progress."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional, TypeVar

Item = TypeVar('Item')
Report = Callable[[str, int, Optional[int]], None]
"""Called with a stage, what is done of it, and of how much; None if that is unknown."""


class StageClock:
    """Measure stages, which may be entered many times.

    Args:
        report (Callable, optional): Is told the progress, see :data:`Report`. Defaults to None.

    Attributes:
        seconds (dict[str, float]): Time of each stage so far, without that of stages within it.
        reused (list[str]): Stages whose results were kept from before.
    """

    def __init__(self, report: Optional[Report] = None) -> None:
        self.seconds: dict[str, float] = {}
        self.reused: list[str] = []
        self._report = report or (lambda stage, done, total: None)
        self._running: list[str] = []
        self._since = time.perf_counter()

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Count the time of the ``with`` block to a stage."""
        self._switch()
        self._running.append(stage)
        try:
            yield
        finally:
            self._switch()
            self._running.pop()

    def timed(self, stage: str, function: Callable) -> Callable:
        """Return the function, whose time is counted to a stage."""

        def measured(*args: Any, **kwargs: Any) -> Any:
            with self.measure(stage):
                return function(*args, **kwargs)

        return measured

    def iterate(
        self, stage: str, items: Iterable[Item], total: Optional[int] = None, shown: str = ''
    ) -> Iterator[Item]:
        """Yield items, whose making is counted to a stage.

        Args:
            stage (str): The stage.
            items (Iterable): The items.
            total (int, optional): Their number. Defaults to None: unknown.
            shown (str): Name of the stage in reports of progress. Defaults to '': its own.
        """
        shown, done = shown or stage, 0
        source = iter(items)
        self._report(shown, done, total)
        while True:
            with self.measure(stage):
                try:
                    item = next(source)
                except StopIteration:
                    break
            yield item
            done += 1
            self._report(shown, done, total)
        self._report(shown, done, done)

    def reuse(self, stage: str) -> None:
        """Note a stage whose result was kept from before."""
        if stage not in self.reused:
            self.reused.append(stage)
        self._report(stage, 1, 1)

    def _switch(self) -> None:
        """Count the time since the last switch to the innermost stage."""
        now = time.perf_counter()
        if self._running:
            stage = self._running[-1]
            self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now
