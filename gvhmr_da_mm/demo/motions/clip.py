"""Motion clips and their variation: mirroring, tempo, heading, joining, noise."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.conventions import JOINT_FLIP_INDEX
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.rotation import (
    axis_angle_to_matrix,
    mirror_rotation,
    project_to_so3,
    rotation_about_axis,
)

from ..noise import slow_noise

CLIP_FOLDER = Path(__file__).parent
REST_PELVIS = (0.0, -0.311, 0.018)
"""Rest position of the root joint of the clips' own body, to which their `transl` is relative."""
HORIZONTAL = (1.0, 0.0, 1.0)
"""Factors that keep the horizontal coordinates of a point."""


@dataclass(frozen=True)
class MotionClip:
    """Joint rotations and pelvis trajectory in a y-up world with the floor at y = 0.

    Args:
        rotations (Tensor): Root orientation and 21 relative joint rotations (F, 22, 3, 3).
        pelvis (Tensor): Position of the pelvis joint (F, 3) in metres.
    """

    rotations: Tensor
    pelvis: Tensor

    def __len__(self) -> int:
        return len(self.pelvis)

    def __getitem__(self, frames: slice) -> 'MotionClip':
        return MotionClip(self.rotations[frames], self.pelvis[frames])

    def mirror(self) -> 'MotionClip':
        """Swap left and right."""
        swapped = self.rotations[:, list(JOINT_FLIP_INDEX)]
        return MotionClip(mirror_rotation(swapped), self.pelvis * torch.tensor([-1.0, 1.0, 1.0]))

    def change_tempo(self, factor: float) -> 'MotionClip':
        """Play ``factor`` times as fast, interpolating between frames."""
        time = torch.arange(0, len(self) - 1, factor)
        first = time.long()
        return _blend(self[first], self[first + 1], time - first)

    def turn(self, yaw: Tensor) -> 'MotionClip':
        """Turn the heading by ``yaw`` (F,) radians per frame."""
        turned = rotation_about_axis('y', yaw)
        step = self.pelvis.diff(dim=0, prepend=self.pelvis[:1])
        trajectory = (turned @ step[..., None])[..., 0].cumsum(0)
        start = (turned[0] @ (self.pelvis[0] * torch.tensor(HORIZONTAL))) + trajectory[0]
        horizontal = (trajectory + start) * torch.tensor(HORIZONTAL)
        height = self.pelvis * (1 - torch.tensor(HORIZONTAL))
        rotations = self.rotations.clone()
        rotations[:, 0] = turned @ rotations[:, 0]
        return MotionClip(rotations, horizontal + height)

    def move(self, offset: Tensor) -> 'MotionClip':
        """Shift the pelvis by ``offset`` (3,) or (F, 3) metres."""
        return replace(self, pelvis=self.pelvis + offset)

    def append(self, other: 'MotionClip', overlap: int) -> 'MotionClip':
        """Continue with another clip at the final position and heading, cross-fading."""
        overlap = min(overlap, len(self), len(other))
        yaw = _heading(self.rotations[-overlap, 0]) - _heading(other.rotations[0, 0])
        other = other.turn(yaw.expand(len(other)))
        other = other.move((self.pelvis[-overlap] - other.pelvis[0]) * torch.tensor(HORIZONTAL))
        weight = torch.linspace(0, 1, overlap + 2)[1:-1]
        weight = weight * weight * (3 - 2 * weight)
        seam = _blend(self[len(self) - overlap :], other[:overlap], weight)
        parts = (self[: len(self) - overlap], seam, other[overlap:])
        return MotionClip(
            torch.cat([part.rotations for part in parts]),
            torch.cat([part.pelvis for part in parts]),
        )

    def shake(self, sigma: float, rng: np.random.Generator) -> 'MotionClip':
        """Add slow random rotations of about ``sigma`` radians to all joints but the root."""
        noise = sigma * slow_noise(len(self), (21, 3), 6.0, rng)
        # Less for the legs, or the feet would skate.
        noise[:, [0, 1, 3, 4, 6, 7, 9, 10]] *= 0.25
        rotations = self.rotations.clone()
        rotations[:, 1:] = rotations[:, 1:] @ axis_angle_to_matrix(noise)
        return replace(self, rotations=rotations)


class Take(NamedTuple):
    """Clip that a performance is made of.

    Args:
        clip (MotionClip): The motion, of the body with zero betas.
        leaps (bool): Whether it leaves the floor; otherwise floating frames are lowered.
    """

    clip: MotionClip
    leaps: bool


def _blend(first: MotionClip, second: MotionClip, weight: Tensor) -> MotionClip:
    """Interpolate two clips with weights (F,) of the second one."""
    mixed = torch.lerp(first.rotations, second.rotations, weight[:, None, None, None])
    pelvis = torch.lerp(first.pelvis, second.pelvis, weight[:, None])
    return MotionClip(project_to_so3(mixed), pelvis)


def _heading(orientation: Tensor) -> Tensor:
    """Return the yaw of a root orientation (3, 3), by the horizontal direction of its x axis."""
    return torch.atan2(-orientation[2, 0], orientation[0, 0])


@cache
def load_clip(name: str) -> MotionClip:
    """Load one of the shipped clips by name, e.g. ``'walk'``."""
    path = CLIP_FOLDER / f'{name}.npz'
    if not path.is_file():
        names = sorted(file.stem for file in CLIP_FOLDER.glob('*.npz'))
        raise ConfigError(f'motion clip should be one of {names}, got {name!r}')
    with np.load(path) as data:
        pose = np.concatenate((data['global_orient'], data['body_pose']), axis=-1)
        pelvis = torch.from_numpy(data['transl']).float() + torch.tensor(REST_PELVIS)
    rotations = axis_angle_to_matrix(torch.from_numpy(pose).float().view(-1, 22, 3))
    return MotionClip(rotations, pelvis)
