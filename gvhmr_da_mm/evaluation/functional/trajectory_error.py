"""Root trajectory error.

Note:
    - number of frames: F

Source: GVHMR, Sec. 4.1 (RTE).
"""

import torch
from torch import Tensor

from ...core.alignment import procrustes
from ...core.checks import check_choice
from ...core.conventions import COMPAT_MODES
from .point_sets import ArrayLike, as_pair

MIN_TRAJECTORY_LENGTH = 1e-3
"""Metres. A shorter true trajectory is label noise, and a percentage of it has no meaning."""


def root_trajectory_error(pred: ArrayLike, target: ArrayLike, compat: str = 'correct') -> Tensor:
    """Distance of the roots after a rigid alignment, as a share of the true trajectory's length.

    Args:
        pred (Tensor | np.ndarray): Predicted root positions, (F, 3), metres.
        target (Tensor | np.ndarray): True root positions, (F, 3), metres.
        compat (str): Result where the true root travels less than 1 mm, so that the share is not
            defined. 'correct': NaN for every frame, to be left out of means; 'published': the
            quotient (inf, NaN or absurdly large). Defaults to 'correct'.

    Returns:
        Tensor: The error of each frame, (F,), percent of the length.

    Raises:
        ShapeError: If the shapes differ.
        ConfigError: If ``compat`` is unknown.
    """
    check_choice(compat, COMPAT_MODES, 'compat')
    pred, target = as_pair(pred, target, 'F 3')
    if len(pred) == 0:
        return pred.new_zeros(0)
    length = torch.diff(target, dim=0).norm(dim=-1).sum()
    error = (procrustes(pred, target, scale=False) - target).norm(dim=-1)
    if compat == 'correct' and length < MIN_TRAJECTORY_LENGTH:
        return torch.full_like(error, float('nan'))
    return error / length * 100
