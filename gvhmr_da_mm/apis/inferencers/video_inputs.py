"""Videos of the inputs that users name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Union

import numpy as np

from ...core.conventions import FPS
from ...core.errors import ConfigError, DataError
from ...video.array_frames import ArrayFrames
from ...video.extract_features import clip_ids
from ...video.frame_source import IMAGE_SUFFIXES, FrameSource, find_clips, open_frames
from ...video.webcam import is_webcam, webcam_number, webcam_windows

Inputs = Union[str, Path, int, np.ndarray, Sequence[Any]]


@dataclass(frozen=True)
class VideoInput:
    """A video that is not open yet.

    Attributes:
        name (str): Its name, unique among the inputs, with the folders below a given folder.
        open (Callable): Returns its frames.
    """

    name: str
    open: Callable[[], FrameSource]


def list_videos(
    inputs: Inputs, fps: float = FPS, names: Optional[set[str]] = None
) -> Iterator[VideoInput]:
    """Yield the videos of inputs; those of a webcam without end.

    Args:
        inputs (str | Path | int | np.ndarray | list): A video, a folder of images, a folder of
            these, frames (N, H, W, 3) as RGB, uint8, the number of a webcam (also ``webcam:0``), or
            a list of these; a list of images is one video.
        fps (float): Frames per second of images and arrays. Defaults to 30.
        names (set[str], optional): Names that are taken; those of the videos are added. Defaults to
            None: none.

    Raises:
        MissingFilesError: If a path does not exist, or a folder holds no video.
        DataError: If a webcam cannot be opened or vanishes.
        ConfigError: If an input is of another kind.
    """
    names = set() if names is None else names
    for video in _videos(inputs, fps):
        name, count = video.name, 1
        while name in names:
            count += 1
            name = f'{video.name}_{count}'
        names.add(name)
        yield VideoInput(name, video.open)


def _videos(inputs: Inputs, fps: float) -> Iterator[VideoInput]:
    if is_webcam(inputs):
        for window in webcam_windows(webcam_number(inputs)):
            yield VideoInput(window.name, lambda window=window: window)
    elif isinstance(inputs, np.ndarray):
        yield VideoInput('frames', lambda: ArrayFrames(inputs, fps))
    elif isinstance(inputs, (str, Path)):
        yield from _files(Path(inputs), fps)
    elif isinstance(inputs, Sequence) and inputs:
        if all(isinstance(item, np.ndarray) and item.ndim == 3 for item in inputs):
            yield VideoInput('frames', lambda: ArrayFrames(inputs, fps))
            return
        for item in inputs:
            yield from _videos(item, fps)
    else:
        raise ConfigError(
            '`inputs` should be a video, a folder, frames (N, H, W, 3), a webcam, or a list of '
            f'these, got {inputs!r:.200}'
        )


def _files(path: Path, fps: float) -> Iterator[VideoInput]:
    clips = find_clips(path)
    for clip, name in zip(clips, clip_ids(clips, path)):
        yield VideoInput(name, lambda clip=clip: _open(clip, fps))


def _open(clip: Path, fps: float) -> FrameSource:
    if clip.suffix.lower() in IMAGE_SUFFIXES:
        raise DataError(
            f'{clip} is one picture: motion needs a video, or a folder of successive pictures'
        )
    return open_frames(clip, fps)
