"""Root trajectory error.

Note:
    - number of frames: F

Source: GVHMR, Sec. 4.1 (RTE).
"""

import torch
from torch import Tensor

from ...core.alignment import procrustes
from ...core.conventions import COMPAT_MODES
from ...core.errors import ConfigError
from .point_sets import ArrayLike, as_pair

# Metres. A shorter true path is noise of the labels, and a percentage of it says nothing.
MIN_PATH_LENGTH = 1e-3


def root_trajectory_error(pred: ArrayLike, target: ArrayLike, compat: str = 'correct') -> Tensor:
    """Distance of the roots after a rigid alignment, as a share of the true path's length.

    Args:
        pred (Tensor | np.ndarray): Predicted root positions, (F, 3), metres.
        target (Tensor | np.ndarray): True root positions, (F, 3), metres.
        compat (str): What to do where the true root travels less than 1 mm, so that the share is
            not defined. 'correct': NaN for every frame, which a table must leave out; 'published':
            divide all the same (inf, NaN or absurdly large). Defaults to 'correct'.

    Returns:
        Tensor: The error of each frame, (F,), percent of the path.

    Raises:
        ShapeError: If the shapes differ.
        ConfigError: If ``compat`` is unknown.
    """
    if compat not in COMPAT_MODES:
        raise ConfigError(f"`compat` should be 'correct' or 'published', got {compat!r}")
    pred, target = as_pair(pred, target, 'F 3')
    if len(pred) == 0:
        return pred.new_zeros(0)
    path_length = torch.diff(target, dim=0).norm(dim=-1).sum()
    error = (procrustes(pred, target, scale=False) - target).norm(dim=-1)
    if compat == 'correct' and path_length < MIN_PATH_LENGTH:
        return torch.full_like(error, float('nan'))
    return error / path_length * 100
