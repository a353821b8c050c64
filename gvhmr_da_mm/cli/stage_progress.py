"""Progress of the stages of videos, shown by Rich."""

from typing import Optional

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID


class StageProgress:
    """Context manager that shows a bar for each stage of a video.

    Args:
        console (Console): Where it is shown.
        name (str): Name of the video.
    """

    def __init__(self, console: Console, name: str) -> None:
        self._bar = Progress(console=console, transient=True, disable=not console.is_terminal)
        self._name = name
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> 'StageProgress':
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def __call__(self, stage: str, done: int, total: Optional[int]) -> None:
        """Show progress, see :data:`~gvhmr_da_mm.video.stage_clock.Report`."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(escape(f'{self._name}: {stage}'), total=total)
        self._bar.update(self._tasks[stage], completed=done, total=total)
