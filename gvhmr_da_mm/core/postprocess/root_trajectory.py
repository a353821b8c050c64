"""Parts shared by the corrections of the root trajectory.

Note:
    Shape letters: B clips, L frames, J joints, S static joints.
"""

from collections.abc import Callable
from typing import Optional

import torch
from torch import Tensor

from ..checks import check_choice, check_shape
from ..conventions import COMPAT_MODES, STATIC_JOINTS
from ..errors import ShapeError
from .ground import ground_height, lowest_joint

HORIZONTAL = (0, 2)
"""Axes of the ground plane in a y-up world."""


def check_trajectory(
    transl_w: Tensor, joints_w: Tensor, static_logits: Tensor, valid: Optional[Tensor]
) -> Tensor:
    """Check the arguments of a correction and return the mask of valid frames (B, L).

    Raises:
        ShapeError: If a shape is wrong, or the clips have no frame.
    """
    sizes = check_shape(transl_w, 'B L 3', 'transl_w')
    if sizes['L'] == 0:
        raise ShapeError(
            '`transl_w` should have at least one frame, got (B, 0, 3): leave empty sequences out'
        )
    check_shape(joints_w, 'B L J 3', 'joints_w', **sizes)
    check_shape(static_logits, f'B L {len(STATIC_JOINTS)}', 'static_logits', **sizes)
    if valid is None:
        return torch.ones_like(transl_w[..., 0], dtype=torch.bool)
    check_shape(valid, 'B L', 'valid', **sizes)
    return valid


def static_displacement(joints_w: Tensor) -> Tensor:
    """Return the displacement (B, L-1, S, 3) of the static joints to the next frame."""
    return joints_w[:, :, list(STATIC_JOINTS)].diff(dim=1)


def contact_sliding(
    joints_w: Tensor,
    static_logits: Tensor,
    doubt: Optional[float],
    published: Callable[[Tensor], Tensor],
) -> Tensor:
    """Return how far static joints slide, the error of each step of the root (B, L-1, 3).

    It is the mean of the displacements of the static joints, and of none with the weight ``doubt``.
    A joint's weight rises from 0 at a contact probability of one half to 1: a network that does not
    know leaves the step as it is.

    Args:
        joints_w (Tensor): World joints (B, L, J, 3), metres.
        static_logits (Tensor): Contact logits of the static joints (B, L, S).
        doubt (float, optional): Weight of the step as it is; None for the weights of ``published``.
        published (Callable): Returns other weights of the joints of the same shape for logits
            (B, L-1, S).
    """
    logits = static_logits[:, :-1]
    if doubt is None:
        weight = published(logits)
    else:
        weight = (2 * logits.sigmoid() - 1).clamp(min=0)
        weight = weight / (weight.sum(dim=-1, keepdim=True) + doubt)
    return (weight[..., None] * static_displacement(joints_w)).sum(dim=2)


def remove_displacement(transl_w: Tensor, displacement: Tensor) -> Tensor:
    """Subtract a displacement (B, L-1, 3) from each step of a trajectory (B, L, 3)."""
    removed = torch.zeros_like(transl_w)
    removed[:, 1:] = displacement.cumsum(dim=1)
    return transl_w - removed


def put_on_ground(
    transl_w: Tensor, joints_w: Tensor, static_logits: Tensor, valid: Tensor, compat: str
) -> Tensor:
    """Shift trajectories (B, L, 3) so that the ground of each clip is at y = 0.

    Clips without a valid frame stay where they are.

    Args:
        transl_w (Tensor): World translation (B, L, 3), metres.
        joints_w (Tensor): World joints (B, L, J, 3) at that translation, metres.
        static_logits (Tensor): Contact logits of the static joints (B, L, 6).
        valid (Tensor): Frames that exist (B, L), bool.
        compat (str): ``'correct'`` for :func:`ground_height`; ``'published'`` for the lowest joint
            of all frames, so that one wrong frame lifts the whole clip.

    Raises:
        ConfigError: If ``compat`` is not one of the two modes.
    """
    check_choice(compat, COMPAT_MODES, 'compat')
    if compat == 'published':
        ground = lowest_joint(joints_w, valid)
    else:
        ground = ground_height(joints_w, static_logits > 0, valid)
    shift = torch.zeros_like(transl_w[:, :1])
    shift[:, 0, 1] = torch.where(ground.isfinite(), ground, 0.0)
    return transl_w - shift
