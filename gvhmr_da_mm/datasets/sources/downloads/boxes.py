"""Interpolation of missing boxes."""

import numpy as np

from ....core.errors import DataError


def fill_boxes(bbx_xys: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Interpolate missing boxes linearly; repeat the first and the last observed one.

    Args:
        bbx_xys (np.ndarray): Boxes (F, 3) in pixels; rows that are not observed are ignored.
        observed (np.ndarray): Valid mask of the boxes (F,), bool.

    Returns:
        np.ndarray: Boxes (F, 3).

    Raises:
        DataError: If no box is observed.
    """
    if not observed.any():
        raise DataError('no frame has a box')
    frames, known = np.arange(len(bbx_xys)), np.flatnonzero(observed)
    columns = [np.interp(frames, known, bbx_xys[known, column]) for column in range(3)]
    return np.stack(columns, axis=1).astype(np.float32)
