"""Frames of a webcam as they come, in windows."""

import time
from collections.abc import Iterator
from typing import Union

import cv2

from ..core.errors import ConfigError, DataError
from .array_frames import ArrayFrames

WINDOW_FRAMES = 120
"""Frames that are recovered together: the motion of the first comes so much later."""
_NAME = 'webcam'


def webcam_number(given: Union[int, str]) -> int:
    """Return the number of a webcam given as ``0``, ``'webcam'`` or ``'webcam:0'``.

    Raises:
        ConfigError: If it is none of these.
    """
    text = str(given)
    digits = text.partition(':')[2] or '0' if text.startswith(_NAME) else text
    if not digits.isdigit():
        raise ConfigError(f'a webcam should be given as `webcam` or `webcam:NUMBER`, got {given!r}')
    return int(digits)


def is_webcam(given: object) -> bool:
    """Return whether an input names a webcam."""
    return isinstance(given, int) or (isinstance(given, str) and given.split(':')[0] == _NAME)


def webcam_windows(number: int, window_frames: int = WINDOW_FRAMES) -> Iterator[ArrayFrames]:
    """Yield successive windows of the frames of a webcam, without end.

    Args:
        number (int): Number of the webcam.
        window_frames (int): Frames of a window. Defaults to 120.

    Raises:
        DataError: If there is no such webcam, or it delivers no more frames; the frames that came
            before are yielded first.
    """
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise DataError(f'webcam {number} cannot be opened: check its number and permissions')
    count = 0
    try:
        while True:
            pictures, seconds = [], []
            found = True
            while found and len(pictures) < window_frames:
                found, picture = capture.read()
                if found:
                    pictures.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
                    seconds.append(time.monotonic())
            if pictures:
                yield ArrayFrames(pictures, seconds=seconds, name=f'{_NAME}{number}_{count:04d}')
            if not found:
                raise DataError(f'webcam {number} delivers no more frames: check its connection')
            count += 1
    finally:
        capture.release()
