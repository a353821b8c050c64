"""Frames of a clip that are in memory."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Optional

import numpy as np

from ..core.conventions import FPS
from ..core.errors import DataError
from .frame_source import FrameSource


class ArrayFrames(FrameSource):
    """Pictures of a clip.

    Args:
        pictures (np.ndarray | list): RGB images (N, H, W, 3), uint8.
        fps (float): Frames per second. Defaults to 30.
        seconds (list[float], optional): Time of each picture, s, increasing. Defaults to None: from
            ``fps``.
        name (str): Name of the clip. Defaults to ``frames``.

    Raises:
        DataError: If they are not such images.
    """

    def __init__(
        self,
        pictures: Sequence[np.ndarray],
        fps: float = FPS,
        seconds: Optional[Sequence[float]] = None,
        name: str = 'frames',
    ) -> None:
        shapes = {np.shape(picture) for picture in pictures}
        kinds = {np.asarray(picture).dtype for picture in pictures}
        images = len(shapes) == 1 and all(len(s) == 3 and s[2] == 3 and min(s) > 0 for s in shapes)
        if not images or kinds != {np.dtype(np.uint8)}:
            raise DataError(
                'frames should be RGB images (N, H, W, 3), uint8, of one size, got '
                f'{len(pictures)} of shapes {sorted(shapes)} and types {sorted(map(str, kinds))}'
            )
        self.path, self.name = Path(name), name
        self._pictures = pictures
        height, width = pictures[0].shape[:2]
        self.img_wh = (width, height)
        self.seconds = (
            np.arange(len(pictures)) / fps if seconds is None else np.asarray(seconds) - seconds[0]
        )
        self.files: list[Path] = []
        self.notes: list[str] = []

    def frames(
        self, wanted: Optional[Collection[int]] = None
    ) -> Iterator[tuple[int, Optional[np.ndarray]]]:
        """See :meth:`FrameSource.frames`."""
        for number in range(len(self)) if wanted is None else sorted(set(wanted)):
            yield number, self._pictures[number]
