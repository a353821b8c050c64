"""Functions shared by the views: checks, random numbers, dropped features, turned roots."""

from collections.abc import Sequence
from typing import Optional

import torch
from torch import Tensor

from ...core.checks import check_shape
from ...core.errors import ConfigError, DataError

Inputs = dict[str, Tensor]


def require(inputs: Inputs, keys: Sequence[str], owner: str) -> None:
    """Raise a DataError unless the inputs hold all ``keys``."""
    missing = [key for key in keys if key not in inputs]
    if missing:
        raise DataError(
            f'{owner} needs the inputs {missing}, got {sorted(inputs)}: pass the whole batch'
        )


def clip_size(inputs: Inputs) -> tuple[int, int]:
    """Return the number of clips and frames (B, L) of a batch."""
    require(inputs, ('kp2d',), 'A view')
    size = check_shape(inputs['kp2d'], 'B L 17 3', name="inputs['kp2d']")
    return size['B'], size['L']


def check_probability(value: float, name: str) -> float:
    """Return ``value`` if it lies in [0, 1], else raise a ConfigError."""
    if not 0 <= value <= 1:
        raise ConfigError(f'`{name}` should be a probability in [0, 1], got {value}')
    return float(value)


def rand(shape: Sequence[int], like: Tensor, generator: Optional[torch.Generator]) -> Tensor:
    """Draw U(0, 1) with the generator, on its own device, then move it to ``like``."""
    device = like.device if generator is None else generator.device
    return torch.rand(tuple(shape), generator=generator, device=device).to(like)


def randn(shape: Sequence[int], like: Tensor, generator: Optional[torch.Generator]) -> Tensor:
    """Draw N(0, 1) with the generator, on its own device, then move it to ``like``."""
    device = like.device if generator is None else generator.device
    return torch.randn(tuple(shape), generator=generator, device=device).to(like)


def drop_features(inputs: Inputs, drop: Tensor) -> Inputs:
    """Return the inputs without the image features of the clips ``drop`` (B,), bool."""
    require(inputs, ('f_imgseq', 'has_imgfeat'), 'Dropping features')
    return dict(
        inputs,
        f_imgseq=inputs['f_imgseq'].masked_fill(drop[:, None, None], 0),
        has_imgfeat=inputs['has_imgfeat'] & ~drop,
    )


def turn_root(transl: Tensor, rotation: Tensor, root_offset: Optional[Tensor]) -> Tensor:
    """Apply a linear map about the camera centre to SMPL translations.

    The map moves the pelvis, which is at ``transl + root_offset``.

    Args:
        transl (Tensor): Metres (B, L, 3).
        rotation (Tensor): Shape (3, 3), or broadcastable to (B, L, 3, 3); reflections too.
        root_offset (Tensor, optional): Rest position of the pelvis (B, L, 3),
            ``skeleton(betas)[0]``. Defaults to None: ``transl`` is the pelvis itself.

    Returns:
        Tensor: Shape (B, L, 3).
    """
    if root_offset is None:
        return (rotation @ transl[..., None])[..., 0]
    check_shape(root_offset, '* 3', name='root_offset')
    return (rotation @ (transl + root_offset)[..., None])[..., 0] - root_offset
