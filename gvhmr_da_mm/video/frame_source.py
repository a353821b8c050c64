"""Frames of a clip, from a video or a folder of images."""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Optional, Union

import cv2
import numpy as np

from ..core.conventions import FPS
from ..core.errors import DataError, MissingFilesError
from ..fileio.pixel_aspect import pixel_stretch, with_square_pixels
from .time_plan import plan_times, planned_items

VIDEO_SUFFIXES = (
    '.mp4', '.mov', '.avi', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.ts', '.mts', '.m2ts',
    '.3gp', '.3g2', '.wmv', '.flv', '.ogv', '.vob', '.gif',
)  # fmt: skip
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp')
_COUNTED_SUFFIXES = ('.mp4', '.mov', '.m4v', '.3gp', '.3g2', '.avi')
"""Videos whose header has the number of frames, not the duration alone."""
_MAX_MISSING_SECONDS = 0.5
"""Largest time without a frame at the end of a video, s, that is not noted."""
_MAX_FAILED_GRABS = 100
"""Number of successive undecodable frames that is taken for the end of a video."""
_MAX_STEP_SPREAD = 0.2
"""Range of the time steps, over their median, above which the frame rate counts as variable."""


class FrameSource(ABC):
    """Frames of a clip and their times.

    Attributes:
        path (Path): The video or folder.
        name (str): Name of the clip: the name of the file, without suffix, or of the folder.
        img_wh (tuple[int, int]): Width and height of the upright frames, pixels.
        seconds (np.ndarray): Time of each frame (N,), s, increasing.
        files (list[Path]): The files it is read from.
        notes (list[str]): Messages about unusual properties of the clip.
        num_stated (int, optional): Number of frames by the header, which may be wrong; None if it
            states none. Defaults to None.
    """

    path: Path
    name: str
    img_wh: tuple[int, int]
    seconds: np.ndarray
    files: list[Path]
    notes: list[str]
    num_stated: Optional[int] = None

    def __len__(self) -> int:
        return len(self.seconds)

    @abstractmethod
    def frames(
        self, wanted: Optional[Collection[int]] = None
    ) -> Iterator[tuple[int, Optional[np.ndarray]]]:
        """Yield the number and RGB image (H, W, 3), uint8, of each frame; None if unreadable.

        Args:
            wanted (Collection[int], optional): Numbers of the frames to read, in any order;
                they are yielded in that of the clip. Defaults to None: all.
        """

    def planned_frames(self) -> Iterator[tuple[int, Optional[np.ndarray]]]:
        """Yield the frames that :func:`plan_times` uses of the clip, as :meth:`frames` does."""
        yield from self.frames(plan_times(self.seconds).used.tolist())


def open_frames(path: Union[str, Path], fps: float = FPS) -> FrameSource:
    """Open a video, or a folder of images.

    Args:
        path (str | Path): The file or folder.
        fps (float): Frames per second of a folder of images. Defaults to 30.

    Raises:
        MissingFilesError: If it does not exist.
        DataError: If no frame of it can be read.
    """
    return ImageFolder(path, fps) if Path(path).is_dir() else VideoFrames(path)


def clip_name(path: Union[str, Path]) -> Path:
    """Return the name of a file or folder, with suffix, also if it is given as ``.`` or ``..``."""
    return Path(Path(os.path.abspath(path)).name)


def find_clips(path: Union[str, Path]) -> list[Path]:
    """Return the path itself if it is a file or a folder of images, else the clips below it.

    Images in a folder with videos are not a clip: see :func:`unread_files`. Hidden files are passed
    over.

    Raises:
        MissingFilesError: If the path does not exist, or there is no clip.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFilesError(f'there is no file or folder {str(path)!r}')
    if path.is_file():
        return [path]
    if _is_image_folder(path):
        return [path]
    found = [
        entry
        for entry in sorted(path.rglob('*'))
        if not _is_hidden(entry, path)
        and (_is_video(entry) or (entry.is_dir() and _is_image_folder(entry)))
    ]
    if not found:
        raise MissingFilesError(
            f'{str(path)!r} holds no video ({", ".join(VIDEO_SUFFIXES)}) and no folder of images '
            f'({", ".join(IMAGE_SUFFIXES)})'
        )
    return found


def unread_files(path: Union[str, Path]) -> list[Path]:
    """Return the files below a folder that belong to no clip, hidden files left out."""
    clips = set(find_clips(path))
    return [
        file
        for file in sorted(Path(path).rglob('*'))
        if file.is_file()
        and not _is_hidden(file, path)
        and file not in clips
        and not (file.parent in clips and file.suffix.lower() in IMAGE_SUFFIXES)
    ]


class VideoFrames(FrameSource):
    """Frames of a video, rotated upright as its metadata say.

    The header has neither the number of decodable frames nor, at a variable frame rate, their
    times. Both, and ``notes`` on them, are known after :meth:`planned_frames`; ``seconds``, if
    asked for before, decodes the whole video.

    Args:
        path (str | Path): The video.

    Raises:
        MissingFilesError: If the file does not exist.
        DataError: If no frame of it can be decoded.
    """

    def __init__(self, path: Union[str, Path]) -> None:
        self.path, self.name = Path(path), Path(path).stem
        if not self.path.is_file():
            raise MissingFilesError(f'there is no video {str(path)!r}')
        self.files, self.notes = [self.path], []
        self._seconds: Optional[np.ndarray] = None
        capture = self._open()
        stated = round(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.num_stated = stated if stated > 0 else None
        self._fps = capture.get(cv2.CAP_PROP_FPS)
        turned = round(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360
        found, first = capture.retrieve() if _grab(capture) else (False, None)
        self._stretch = pixel_stretch(capture)
        capture.release()
        if not found:
            raise DataError(
                f'{self.path}: no frame can be decoded; the file is damaged, half-downloaded or no '
                'video that this OpenCV supports. `ffmpeg -i IN -c:v libx264 OUT.mp4` may help'
            )
        height, width = self._picture(first).shape[:2]
        self.img_wh = (width, height)
        if turned:
            self.notes.append(f'turned by {turned} degrees, as its metadata says')
        if self._stretch != (1.0, 1.0):
            self.notes.append(f'pixels are not square: shown as {width} x {height}')

    @property
    def seconds(self) -> np.ndarray:
        """Time of each decodable frame (N,), s, increasing from 0."""
        if self._seconds is None:
            capture = self._open()
            try:
                self._finish(capture, [])
            finally:
                capture.release()
        return self._seconds

    def frames(
        self, wanted: Optional[Collection[int]] = None
    ) -> Iterator[tuple[int, Optional[np.ndarray]]]:
        """See :meth:`FrameSource.frames`; the frames in between are decoded, but not converted."""
        yield from self._read(range(len(self)) if wanted is None else wanted)

    def planned_frames(self) -> Iterator[tuple[int, Optional[np.ndarray]]]:
        """See :meth:`FrameSource.planned_frames`; decodes the video once.

        Note:
            Where the times in the file do not increase, it ends early: the frames are then known to
            be others, and a second call yields them.
        """
        if self._seconds is not None:
            yield from super().planned_frames()
            return
        for number, image in planned_items(self._timed_frames()):
            yield number, None if image is None else self._picture(image)

    def _timed_frames(self) -> Iterator[tuple[float, Optional[np.ndarray]]]:
        """Yield time, s, and BGR image of the frames while times increase, and read all times."""
        times: list[float] = []
        capture = self._open()
        try:
            while _grab(capture):
                times.append(_milliseconds(capture))
                if len(times) > 1 and times[-1] <= times[-2]:
                    break
                found, image = capture.retrieve()
                yield times[-1] / 1000, image if found else None
            self._finish(capture, times)
        finally:
            capture.release()

    def _finish(self, capture: cv2.VideoCapture, times: list[float]) -> None:
        """Read the times of the remaining frames, and note what is unusual about all of them."""
        while _grab(capture):
            times.append(_milliseconds(capture))
        self._seconds = self._times(np.array(times) / 1000, self._fps)
        if self.num_stated is None:
            return
        if self.path.suffix.lower() in _COUNTED_SUFFIXES:
            missing = self.num_stated - len(self)
            if missing > 0:
                self.notes.append(f'{missing} of {self.num_stated} frames cannot be decoded')
            return
        # The number is that of the frames which the duration has at the stated rate.
        duration = self.num_stated / self._fps if self._fps > 0 else 0.0
        missing = duration - float(self._seconds[-1])
        if missing > _MAX_MISSING_SECONDS:
            self.notes.append(f'the last {missing:.1f} of {duration:.1f} s have no frame')

    def _picture(self, image: np.ndarray) -> np.ndarray:
        """Return a decoded image as RGB with square pixels."""
        return with_square_pixels(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), self._stretch)

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path))
        if not capture.isOpened():
            raise DataError(
                f'{self.path}: OpenCV cannot open it; the file is damaged, half-downloaded or '
                'not a video'
            )
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        return capture

    def _read(self, wanted: Collection[int]) -> Iterator[tuple[int, Optional[np.ndarray]]]:
        numbers = set(wanted)
        capture = self._open()
        try:
            for number in range(max(numbers, default=-1) + 1):
                grabbed = _grab(capture)
                if number not in numbers:
                    continue
                found, image = capture.retrieve() if grabbed else (False, None)
                yield number, self._picture(image) if found else None
        finally:
            capture.release()

    def _times(self, seconds: np.ndarray, fps: float) -> np.ndarray:
        """Return the times of the frames, from the frame rate if the given ones do not increase."""
        steps = np.diff(seconds)
        if (steps <= 0).any():
            if not fps > 0:
                raise DataError(
                    f'{self.path} states neither increasing frame times nor a frame rate'
                )
            self.notes.append(f'times of frames are not increasing; taken as {fps:g} per second')
            return np.arange(len(seconds)) / fps
        if len(steps) and np.ptp(steps) > _MAX_STEP_SPREAD * np.median(steps):
            rate = 1 / np.median(steps)
            self.notes.append(f'variable frame rate, mostly {rate:.2f} per second')
        return seconds - seconds[:1]


class ImageFolder(FrameSource):
    """Images of a folder by the numbers in their names; the first one sets the image size.

    Args:
        path (str | Path): The folder.
        fps (float): Frames per second. Defaults to 30.

    Raises:
        DataError: If no image of it can be read.
    """

    def __init__(self, path: Union[str, Path], fps: float = FPS) -> None:
        self.path, self.name = Path(path), clip_name(path).name
        self.files = _images(self.path)
        self.seconds = np.arange(len(self.files)) / fps
        self.notes = []
        first = next(
            (image for file in self.files if (image := self._read(file)) is not None), None
        )
        if first is None:
            raise DataError(f'{self.path} holds no image that can be read')
        self.img_wh = (first.shape[1], first.shape[0])

    def frames(
        self, wanted: Optional[Collection[int]] = None
    ) -> Iterator[tuple[int, Optional[np.ndarray]]]:
        """See :meth:`FrameSource.frames`; an image of another size counts as unreadable."""
        numbers = range(len(self)) if wanted is None else sorted(set(wanted))
        for number in numbers:
            image = self._read(self.files[number])
            if image is not None and image.shape[1::-1] != self.img_wh:
                image = None
            yield number, image

    @staticmethod
    def _read(file: Path) -> Optional[np.ndarray]:
        image = cv2.imread(str(file), cv2.IMREAD_COLOR)
        return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()


def _is_image_folder(folder: Path) -> bool:
    return bool(_images(folder)) and not any(map(_is_video, folder.iterdir()))


def _is_hidden(entry: Path, root: Path) -> bool:
    """Return whether a file, or a folder of it below a root, is hidden."""
    return any(part.startswith('.') for part in entry.relative_to(root).parts)


def _images(folder: Path) -> list[Path]:
    files = (file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(
        (file for file in files if file.is_file() and not _is_hidden(file, folder)), key=_by_number
    )


def _by_number(file: Path) -> tuple[list[tuple[bool, int, str]], str]:
    """Sort ``x10.jpg`` behind ``x9.jpg``: numbers in a name by their value."""
    parts = re.findall(r'([0-9]+)|([^0-9]+)', file.name)
    return [(not number, int(number or 0), text) for number, text in parts], file.name


def _grab(capture: cv2.VideoCapture) -> bool:
    """Advance to the next decodable frame; return False at the end."""
    return any(capture.grab() for _ in range(_MAX_FAILED_GRABS))


def _milliseconds(capture: cv2.VideoCapture) -> float:
    """Return the time of the frame that was decoded last."""
    return capture.get(cv2.CAP_PROP_POS_MSEC)
