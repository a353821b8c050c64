"""Random removal of conditions in training."""

from collections.abc import Mapping
from typing import Optional

import torch
from torch import Tensor

from gvhmr_da_mm.core.errors import ConfigError


def drop_conditions(
    conditions: Mapping[str, Tensor],
    p: float,
    training: bool = True,
    generator: Optional[torch.Generator] = None,
) -> dict[str, Tensor]:
    """Set each condition to zero, independently per condition and frame.

    Zero keypoints have score 0: all of them are invisible.

    Note:
        Shape letters: B batch, L frames.

    Args:
        conditions (Mapping[str, Tensor]): Network inputs of shape (B, L, ...), such as ``obs``,
            ``f_cliffcam``, ``f_cam_angvel`` and ``f_imgseq``.
        p (float): Probability that a condition is dropped in a frame.
        training (bool): If False, nothing is dropped. Defaults to True.
        generator (torch.Generator, optional): Source of randomness. Defaults to the global one.

    Returns:
        dict[str, Tensor]: A new dict; the input is not changed.

    Raises:
        ConfigError: If ``p`` is not a probability.

    Source: GVHMR, Sec. 3.3.
    """
    if not 0 <= p <= 1:
        raise ConfigError(f'the dropout of conditions should be in [0, 1], got p={p}')
    if not training or p == 0:
        return dict(conditions)
    kept = {}
    for name, condition in conditions.items():
        chance = torch.rand(condition.shape[:2], generator=generator, device=condition.device)
        dropped = (chance < p).reshape(*chance.shape, *[1] * (condition.ndim - 2))
        kept[name] = condition.masked_fill(dropped, 0)
    return kept
