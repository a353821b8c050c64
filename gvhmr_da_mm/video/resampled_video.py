"""Pictures of a video by their number at 30 frames per second."""

from pathlib import Path
from typing import Optional, Union

import numpy as np

from .frame_source import open_frames
from .time_plan import plan_times


class ResampledVideo:
    """The frames that a pack of ``videos.py`` was made of: upright, and at equal times.

    Frames are to be asked for in order, as drawings do; going back begins anew.

    Args:
        path (str | Path): The video, or a folder of images.
        start (int): Frame that is frame 0 here. Defaults to 0.

    Raises:
        MissingFilesError: If it does not exist.
        DataError: If it cannot be read.
    """

    def __init__(self, path: Union[str, Path], start: int = 0) -> None:
        self.path, self.start = path, start
        self._source = open_frames(path)
        self._numbers = plan_times(self._source.seconds).nearest
        self._rewind(0)

    def __len__(self) -> int:
        return len(self._numbers) - self.start

    def __call__(self, frame: int) -> Optional[np.ndarray]:
        """Return the RGB picture (h, w, 3) of a frame, or None beyond the end."""
        if not 0 <= self.start + frame < len(self._numbers):
            return None
        wanted = int(self._numbers[self.start + frame])
        if wanted < self._last:
            self._rewind(wanted)
        while self._last < wanted:
            self._last, self._picture = next(self._frames)
        return self._picture

    def _rewind(self, first: int) -> None:
        self._last, self._picture = first - 1, None
        self._frames = self._source.frames(range(first, len(self._source)))
