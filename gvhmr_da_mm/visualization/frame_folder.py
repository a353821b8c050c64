"""Reading of the frames of sequences from a folder of images."""

import re
import string
from pathlib import Path
from typing import Optional, Union

import cv2
import numpy as np

from ..core.errors import ConfigError, DataError, MissingFilesError

PATTERN_FIELDS = ('frame', 'sequence', 'video')
_PERSON = re.compile(r'_\d$')


class FrameFolder:
    """Images of sequences below a folder.

    Args:
        root (str | Path): The folder.
        pattern (str): Path of an image below it, with ``{sequence}``, ``{video}`` (the sequence
            without the number of the person at its end, as in 3DPW) and ``{frame}``. Defaults to
            ``'{sequence}/{frame:05d}.jpg'``.
        first (int): Number of frame 0 in the path. Defaults to 0.

    Raises:
        MissingFilesError: If the folder does not exist.
        ConfigError: If the pattern has no ``{frame}``, or an unknown field.
    """

    def __init__(
        self, root: Union[str, Path], pattern: str = '{sequence}/{frame:05d}.jpg', first: int = 0
    ) -> None:
        if not Path(root).is_dir():
            raise MissingFilesError(f'there is no folder of frames {str(root)!r}')
        try:
            fields = {field for _, field, _, _ in string.Formatter().parse(pattern) if field}
            if 'frame' not in fields or not fields <= set(PATTERN_FIELDS):
                raise ValueError(f'fields {sorted(fields)}')
            pattern.format(frame=0, sequence='', video='')
        except ValueError as error:
            raise ConfigError(
                'the pattern of frames should have `{frame}`, such as `{frame:05d}`, and of other '
                f'fields only {PATTERN_FIELDS}, got {pattern!r} ({error})'
            ) from error
        self.root, self.pattern, self.first = Path(root), pattern, first
        self.missing: list[Path] = []

    def path(self, sequence: str, frame: int) -> Path:
        """Return the expected path of the image of a frame."""
        video = _PERSON.sub('', sequence)
        names = dict(sequence=sequence, video=video, frame=frame + self.first)
        return self.root / self.pattern.format(**names)

    def read(self, sequence: str, frame: int) -> Optional[np.ndarray]:
        """Return the RGB image (h, w, 3) of a frame; None, and its path in ``missing``, if missing.

        Raises:
            DataError: If the file is not an image.
        """
        path = self.path(sequence, frame)
        if not path.is_file():
            self.missing.append(path)
            return None
        picture = cv2.imread(str(path))
        if picture is None:
            raise DataError(f'{path} cannot be decoded as an image: copy or extract it again')
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
