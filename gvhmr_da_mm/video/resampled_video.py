"""Access to the frames of a video resampled to 30 frames per second."""

from pathlib import Path
from typing import Optional, Union

import numpy as np

from ..core.conventions import FPS
from ..core.errors import ConfigError
from ..structures import MotionDump
from .frame_source import FrameSource, open_frames
from .time_plan import plan_times

ASPECT_RATIO_TOLERANCE = 0.01
"""Largest relative difference between the aspect ratios of a video and its prediction."""


class ResampledVideo:
    """Upright frames of a video at equal times, as the sequence packs of videos have them.

    Reading frames in order is fast; going back reopens the video.

    Args:
        path (str | Path | FrameSource): The video, or a folder of images.
        start (int): Number of the frame that is returned for 0. Defaults to 0.

    Raises:
        MissingFilesError: If it does not exist.
        DataError: If it cannot be read.
    """

    def __init__(self, path: Union[str, Path, FrameSource], start: int = 0) -> None:
        self._source = path if isinstance(path, FrameSource) else open_frames(path)
        self.path, self.start = self._source.path, start
        self.img_wh = self._source.img_wh
        self._numbers = plan_times(self._source.seconds).nearest
        self._rewind(0)

    def __len__(self) -> int:
        return len(self._numbers) - self.start

    def __call__(self, frame: int) -> Optional[np.ndarray]:
        """Return the RGB image (H, W, 3), uint8, of a frame, or None beyond the end."""
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


def open_video_of(path: Union[str, Path], dump: MotionDump) -> ResampledVideo:
    """Open the video, or folder of images, of a predicted sequence at its first frame.

    Args:
        path (str | Path): The video.
        dump (MotionDump): The predicted sequence.

    Raises:
        MissingFilesError: If it does not exist.
        DataError: If it cannot be read.
        ConfigError: If the aspect ratio or the number of frames does not fit the sequence.
    """
    video = ResampledVideo(path, dump.sample.get('start') or 0)
    if 'img_shape' in dump.sample:
        height, width = dump.sample.img_shape[:2]
        # A resized copy of the video is accepted.
        if abs(video.img_wh[0] / video.img_wh[1] * height / width - 1) > ASPECT_RATIO_TOLERANCE:
            raise ConfigError(
                f'{path} has pictures of {video.img_wh[0]} x {video.img_wh[1]}, but {dump.path} is '
                f'of a video of {width} x {height}: expected its own video'
            )
    if len(video) < len(dump) - 1:
        raise ConfigError(
            f'{path} has {len(video) + video.start} frames at {FPS} per second, but {dump.path} is '
            f'of frames {video.start} to {video.start + len(dump)}: expected its own video'
        )
    return video
