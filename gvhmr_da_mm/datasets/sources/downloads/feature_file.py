"""Files of boxes, keypoints and image features (`tools/dataset_converters/convert.py features`)."""

import json
import zipfile
from pathlib import Path
from typing import Optional

import numpy as np

from ....core.errors import DataError

ARRAYS = ('bbx_xys', 'kp2d', 'observed', 'features', 'flip_features', 'flip_bbx_xys')


def feature_path(folder: Path, name: str) -> Path:
    """Return the file of a sequence."""
    return folder / f'{name}.npz'


def read_features(folder: Optional[Path], name: str, start: int, end: int) -> dict[str, np.ndarray]:
    """Read boxes, keypoints and image features of a sequence.

    The file is an ``.npz`` with arrays of :data:`ARRAYS`, one row per frame. The
    JSON text ``about`` may have ``start``, the frame of row 0.

    Args:
        folder (Path, optional): Folder of the files; None gives an empty dict.
        name (str): Of the sequence, with folders.
        start (int): First frame.
        end (int): One past the last frame.

    Returns:
        dict[str, np.ndarray]: Rows ``start`` to ``end`` by name; features in float16.

    Raises:
        DataError: If the file is missing, damaged, or lacks frames or boxes.
    """
    if folder is None:
        return {}
    path = feature_path(folder, name)
    if not path.is_file():
        raise DataError(
            f'{path} does not exist: run tools/dataset_converters/convert.py features for this '
            'sequence, or convert without --features'
        )
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {key: content[key] for key in ARRAYS if key in content}
            about = json.loads(str(content['about'])) if 'about' in content else {}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f'{path} is damaged ({error}): extract the features again') from error
    if 'bbx_xys' not in arrays:
        raise DataError(f'{path} should have the array bbx_xys, got {", ".join(arrays) or "none"}')
    first = int(about.get('start', 0))
    for key, array in arrays.items():
        if not first <= start < end <= first + len(array):
            raise DataError(
                f'{path}: {key} should have the frames {start} to {end - 1}, got {first} to '
                f'{first + len(array) - 1}'
            )
    arrays = {key: array[start - first : end - first] for key, array in arrays.items()}
    return {
        key: array.astype(np.float16) if key.endswith('features') else array
        for key, array in arrays.items()
    }
