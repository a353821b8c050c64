"""Boxes of frames in which a dataset has none."""

import numpy as np

from ....core.errors import DataError


def fill_boxes(bbx_xys: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Draw boxes between those that were observed, and hold the first and the last.

    Args:
        bbx_xys (np.ndarray): Boxes (F, 3) in pixels; rows that were not observed are not used.
        observed (np.ndarray): Which were (F,), bool.

    Returns:
        np.ndarray: Boxes (F, 3).

    Raises:
        DataError: If none was observed.
    """
    if not observed.any():
        raise DataError('no frame has a box')
    frames, known = np.arange(len(bbx_xys)), np.flatnonzero(observed)
    columns = [np.interp(frames, known, bbx_xys[known, column]) for column in range(3)]
    return np.stack(columns, axis=1).astype(np.float32)
