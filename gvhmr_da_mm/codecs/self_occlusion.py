"""Self-occlusion of COCO joints, with the body as a set of capsules."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from gvhmr_da_mm.core.checks import check_shape
from gvhmr_da_mm.core.constants import constant, joint_index
from gvhmr_da_mm.core.conventions import COCO_HIPS, COCO_JOINT_NAMES, NEAR_DEPTH
from gvhmr_da_mm.core.layout import NUM_COCO

LIMB_JOINTS = tuple(
    COCO_JOINT_NAMES.index(f'{side}_{name}')
    for name in ('elbow', 'wrist', 'knee', 'ankle')
    for side in ('left', 'right')
)
"""Joints that can be hidden; detectors find those of the trunk by their surroundings."""
SHOULDERS = (5, 6)
_SEGMENTS = (
    ('shoulder', 'elbow', 0.05),
    ('elbow', 'wrist', 0.045),
    ('hip', 'knee', 0.08),
    ('knee', 'ankle', 0.06),
    ('shoulder', 'hip', 0.10),
)
"""Ends and radius (m) of the capsules of each side of the body."""
TRUNK_RADIUS = 0.12
"""Radius (m) of the capsule along the middle of the trunk."""
MIN_DEPTH_GAP = 0.1
"""Metres by which a capsule must be nearer to the camera than the joints it hides."""


def self_occlusion(joints: Tensor, near: float = NEAR_DEPTH) -> Tensor:
    """Return which COCO joints are behind a limb or the trunk.

    Args:
        joints (Tensor): COCO joints (..., 17, 3) in the camera, metres.
        near (float): Nearest depth (m); nearer joints count as at that depth. Defaults to 0.3.

    Returns:
        Tensor: Boolean (..., 17); face, shoulders and hips are never hidden.
    """
    check_shape(joints, f'* {NUM_COCO} 3', 'joints')
    capsules = _capsules()
    starts, ends = (joint_index(end, joints) for end in (capsules.starts, capsules.ends))
    limbs = joint_index(LIMB_JOINTS, joints)
    depth = joints[..., 2].clamp(min=near)
    view = joints[..., :2] / depth[..., None]  # normalised image coordinates
    middles = [
        joints[..., joint_index(pair, joints), :].mean(dim=-2, keepdim=True)
        for pair in (SHOULDERS, COCO_HIPS)
    ]
    points = torch.cat((joints, *middles), dim=-2)
    depths = points[..., 2].clamp(min=near)
    places = points[..., :2] / depths[..., None]
    first, second = places[..., None, starts, :], places[..., None, ends, :]
    here = view[..., limbs, None, :]
    along = second - first
    share = ((here - first) * along).sum(-1) / along.square().sum(-1).clamp(min=1e-12)
    share = share.clamp(0, 1)
    apart = (here - first - share[..., None] * along).norm(dim=-1)
    front = depths[..., None, starts]
    front = front + share * (depths[..., None, ends] - front)
    hides = (apart * front < constant(capsules.radii, joints)) & (
        front < depth[..., limbs, None] - MIN_DEPTH_GAP
    )
    hidden = torch.zeros(joints.shape[:-1], dtype=torch.bool, device=joints.device)
    own = constant(capsules.own, joints, torch.bool)
    hidden[..., limbs] = (hides & ~own).any(dim=-1)
    return hidden


class _Capsules(NamedTuple):
    """Starts, ends and radii of the S capsules, and whether each ends at a limb joint (8, S)."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    radii: tuple[float, ...]
    own: tuple[tuple[bool, ...], ...]


@lru_cache(maxsize=1)
def _capsules() -> _Capsules:
    starts, ends, radii = [NUM_COCO], [NUM_COCO + 1], [TRUNK_RADIUS]
    for first, second, radius in _SEGMENTS:
        for side in ('left', 'right'):
            starts.append(COCO_JOINT_NAMES.index(f'{side}_{first}'))
            ends.append(COCO_JOINT_NAMES.index(f'{side}_{second}'))
            radii.append(radius)
    own = tuple(tuple(joint in capsule for capsule in zip(starts, ends)) for joint in LIMB_JOINTS)
    return _Capsules(tuple(starts), tuple(ends), tuple(radii), own)
