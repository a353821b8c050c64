"""Videos of the inputs that users name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Union

import numpy as np

from ...core.conventions import FPS
from ...core.errors import ConfigError, DataError, MissingFilesError
from ...video.array_frames import ArrayFrames
from ...video.extract_features import clip_ids
from ...video.frame_source import IMAGE_SUFFIXES, FrameSource, clip_name, find_clips, open_frames
from ...video.webcam import is_webcam, webcam_number, webcam_windows
from .kept_stages import is_drawing

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
        MissingFilesError: If a path does not exist, or a folder holds no video. Those that earlier
            runs drew do not count.
        DataError: If a webcam cannot be opened or vanishes.
        ConfigError: If an input is of another kind.
    """
    names = set() if names is None else names
    for video in _videos(inputs, fps):
        yield VideoInput(free_name(video.name, names), video.open)


def free_name(name: str, names: set[str]) -> str:
    """Return a name that is not taken, which it then is: ``walk``, ``walk_2``, ..."""
    free, count = name, 1
    while free in names:
        count += 1
        free = f'{name}_{count}'
    names.add(free)
    return free


def name_of_input(given: Any) -> str:
    """Return a name for an input that holds no video."""
    known = isinstance(given, (str, Path))
    return (clip_name(given).stem if known else '') or 'input'


def separate_inputs(inputs: Inputs) -> list[Any]:
    """Return inputs that can be listed one by one, so that one that fails does not stop others."""
    several = isinstance(inputs, Sequence) and not isinstance(inputs, str)
    return list(inputs) if several and not _are_frames(inputs) else [inputs]


def _are_frames(inputs: Sequence[Any]) -> bool:
    """Return whether a list is one of pictures."""
    return bool(inputs) and all(isinstance(item, np.ndarray) and item.ndim == 3 for item in inputs)


def _videos(inputs: Inputs, fps: float) -> Iterator[VideoInput]:
    if is_webcam(inputs):
        for window in webcam_windows(webcam_number(inputs)):
            yield VideoInput(window.name, lambda window=window: window)
    elif isinstance(inputs, np.ndarray):
        yield VideoInput('frames', lambda: ArrayFrames(inputs, fps))
    elif isinstance(inputs, (str, Path)):
        yield from _files(Path(inputs), fps)
    elif isinstance(inputs, Sequence) and inputs:
        if _are_frames(inputs):
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
    drawn = [clip for clip in clips if clip != path and is_drawing(clip, path)]
    clips = [clip for clip in clips if clip not in drawn]
    if not clips:
        raise MissingFilesError(
            f'{str(path)!r} holds no video but those that earlier runs drew, such as {drawn[0]}'
        )
    for clip, name in zip(clips, clip_ids(clips, path)):
        yield VideoInput(name, lambda clip=clip: _open(clip, fps))


def _open(clip: Path, fps: float) -> FrameSource:
    if clip.suffix.lower() in IMAGE_SUFFIXES:
        raise DataError(
            f'{clip} is one picture: motion needs a video, or a folder of successive pictures'
        )
    return open_frames(clip, fps)
