"""Pictures of a sequence, by a pattern for their paths."""

import re
import string
from pathlib import Path
from typing import Optional, Union

import cv2
import numpy as np

from ..core.errors import ConfigError, DataError, MissingFilesError

FIELDS = ('frame', 'sequence', 'video')
_PERSON = re.compile(r'_\d$')


class FrameFolder:
    """Find the pictures of sequences below a folder.

    Args:
        root (str | Path): The folder.
        pattern (str): Path of a picture below it, with ``{sequence}``, ``{video}`` (the sequence
            without the number of the person at its end, as in 3DPW) and ``{frame}``. Defaults to
            ``'{sequence}/{frame:05d}.jpg'``.
        first (int): Number in the path of frame 0. Defaults to 0.

    Raises:
        MissingFilesError: If there is no such folder.
        ConfigError: If the pattern has no ``{frame}``, or something unknown.
    """

    def __init__(
        self, root: Union[str, Path], pattern: str = '{sequence}/{frame:05d}.jpg', first: int = 0
    ) -> None:
        if not Path(root).is_dir():
            raise MissingFilesError(f'there is no folder of frames {str(root)!r}')
        try:
            fields = {field for _, field, _, _ in string.Formatter().parse(pattern) if field}
            if 'frame' not in fields or not fields <= set(FIELDS):
                raise ValueError(f'fields {sorted(fields)}')
            pattern.format(frame=0, sequence='', video='')
        except ValueError as error:
            raise ConfigError(
                'the pattern of frames should have `{frame}`, such as `{frame:05d}`, and of other '
                f'fields only {FIELDS}, got {pattern!r} ({error})'
            ) from error
        self.root, self.pattern, self.first = Path(root), pattern, first
        self.missing: list[Path] = []

    def path(self, sequence: str, frame: int) -> Path:
        """Return where the picture of a frame should be."""
        video = _PERSON.sub('', sequence)
        names = dict(sequence=sequence, video=video, frame=frame + self.first)
        return self.root / self.pattern.format(**names)

    def read(self, sequence: str, frame: int) -> Optional[np.ndarray]:
        """Return the RGB picture (h, w, 3) of a frame; None, and a note of its path, if missing.

        Raises:
            DataError: If it is there but is no picture.
        """
        path = self.path(sequence, frame)
        if not path.is_file():
            self.missing.append(path)
            return None
        picture = cv2.imread(str(path))
        if picture is None:
            raise DataError(f'{path} cannot be decoded as a picture; copy or extract it again')
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
