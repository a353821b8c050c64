"""Writing of images to files."""

from pathlib import Path
from typing import Union

import cv2
import numpy as np

from ..core.errors import StorageError


def write_picture(path: Union[str, Path], picture: np.ndarray) -> None:
    """Write an image to a file; its folder is created.

    Args:
        path (str | Path): The file; its suffix selects the format.
        picture (np.ndarray): RGB image (H, W, 3), uint8.

    Raises:
        StorageError: If it cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
        raise StorageError(
            f'cannot write the picture {str(path)!r}: check permissions and free space'
        )
