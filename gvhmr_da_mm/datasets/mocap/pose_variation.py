"""Random changes of a recorded pose that keep the person's balance."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Optional

import numpy as np
import torch
from torch import Tensor

from ...core.constants import constant
from ...core.conventions import FPS, PARENTS_22
from ...core.errors import ConfigError
from ...core.kinematics import forward_kinematics
from ...core.layout import NUM_JOINTS
from ...core.rotation import matrix_to_quaternion
from ...registry import TASK_UTILS
from .motion import Motion, smooth_trajectory
from .quaternions import from_axis_angle, to_matrix

HIPS, KNEES, ANKLES, TOES = (1, 2), (4, 5), (7, 8), (10, 11)
UPPER_BODY = (3, 6, 9, *range(12, 22))
JOINTS_OF = dict(
    pelvis=(0,), legs=HIPS, spine=(3, 6, 9), neck=(12, 15), shoulders=(16, 17), elbows=(18, 19)
)
SHARED = ('spine', 'neck')
"""Groups whose joints share a rotation; in the others each has its own."""
DEGREES = dict(pelvis=10.0, legs=8.0, spine=15.0, neck=10.0, shoulders=20.0, elbows=15.0)
MASSES = (14.0, 10.0, 10.0, 7.0, 4.6, 4.6, 7.0, 1.4, 1.4, 15.0, 0.3, 0.3, 2.0, 0.5, 0.5, 6.0, 3.5,
          3.5, 2.5, 2.5, 1.2, 1.2)  # fmt: skip
"""Weight of each joint in the centre of mass, from the segments of Winter, Biomechanics, 2009."""
BEARING_HEIGHT = 0.04
"""Metres by which a foot is higher than the other if it bears 1 / e of what that one does."""
STANDING_SPEED = 0.1
"""m/s by which a foot is faster than the other if it counts 1 / e as much as a standing one."""
TILT_STEPS = 2
TILT_SMOOTHING, SHIFT_SMOOTHING = 5.0, 2.0
"""Sigmas in frames of what restores balance and ground contact."""
MIN_LEAN_HEIGHT, MAX_TILT = 0.3, math.radians(30)
"""Metres from the feet to the centre of mass, and radians: they limit the tilt of who lies down."""
HERTZ = (0.1, 0.6)
"""Range of the frequency at which a change swings."""


@TASK_UTILS.register_module()
class PoseVariation:
    """Give recorded people other upper bodies, and bend, turn and lean them.

    Recorded people are upright most of the time, so a model learns that trunks are vertical, and
    predicts the direction of gravity wrong where one is not: in a kick, a reach, a dance. The upper
    body is taken from another recording, and each group of joints gets a rotation that is constant
    over the clip, plus one that swings slowly. The whole body then leans about its feet until its
    centre of mass is above them as it was before; soles keep their orientation, and the root moves
    such that the foot that stands moves as before.

    Note:
        F frames. Joints are those of the SMPL family, in a y-up world.

    Args:
        prob (float): Probability per clip of changed joints. Defaults to 0.5.
        mix_prob (float): Probability per clip of another upper body. Defaults to 0.4.
        degrees (dict[str, float], optional): Standard deviation in degrees, about each axis, of the
            constant rotations of the groups ``pelvis`` (legs keep their direction), ``legs``,
            ``spine``, ``neck``, ``shoulders`` and ``elbows``. Groups that are not named keep their
            default. Defaults to None: 10, 8, 15, 10, 20 and 15.
        swing (float): Amplitude of the swinging rotations over the constant ones. Defaults to 0.5.

    Raises:
        ConfigError: If a number is invalid or a group unknown.
    """

    def __init__(
        self,
        prob: float = 0.5,
        mix_prob: float = 0.4,
        degrees: Optional[dict[str, float]] = None,
        swing: float = 0.5,
    ) -> None:
        for name, value in dict(prob=prob, mix_prob=mix_prob).items():
            if not 0 <= value <= 1:
                raise ConfigError(f'`{name}` should be a probability, got {value}')
        unknown = sorted(set(degrees or {}) - set(DEGREES))
        if unknown:
            raise ConfigError(f'`degrees` should name some of {tuple(DEGREES)}, got {unknown}')
        self.prob, self.mix_prob, self.swing = prob, mix_prob, swing
        self.degrees = {**DEGREES, **(degrees or {})}
        if min(*self.degrees.values(), swing) < 0:
            raise ConfigError(
                f'`degrees` and `swing` should not be below 0, got {degrees} and {swing}'
            )

    def __call__(
        self, motion: Motion, other: Callable[[int], Motion], rng: np.random.Generator
    ) -> Motion:
        """Return a variation of a motion, or the motion itself.

        Args:
            motion (Motion): F frames.
            other (Callable): Returns a number of frames of another motion.
            rng (Generator): Source of all randomness.
        """
        mixes, changes = rng.random() < self.mix_prob, rng.random() < self.prob
        if not mixes and not changes:
            return motion
        recorded = motion.matrices
        varied = self._change(recorded, rng) if changes else recorded.clone()
        if mixes:
            varied[:, UPPER_BODY] = other(len(motion)).matrices[:, UPPER_BODY]
        return _balance(motion, recorded, varied)

    def _change(self, recorded: Tensor, rng: np.random.Generator) -> Tensor:
        """Return changed rotations (F, 22, 3, 3)."""
        change = self._draw_rotations(len(recorded), rng)
        varied = change @ recorded
        varied[:, 0] = recorded[:, 0] @ change[:, 0]
        varied[:, HIPS] = change[:, HIPS] @ change[:, :1].mT @ recorded[:, HIPS]
        return varied

    def _draw_rotations(self, frames: int, rng: np.random.Generator) -> Tensor:
        """Draw rotations of all joints (F, 22, 3, 3), the identity for those of no group."""
        fixed, slow = rng.standard_normal((2, NUM_JOINTS, 3))
        hertz = rng.uniform(*HERTZ, (NUM_JOINTS, 1))
        phase = rng.uniform(0, 2 * math.pi, (NUM_JOINTS, 1))
        seconds = np.arange(frames)[:, None, None] / FPS
        angles = fixed + self.swing * slow * np.sin(2 * math.pi * hertz * seconds + phase)
        size = np.zeros((NUM_JOINTS, 1))
        for group, joints in JOINTS_OF.items():
            share = len(joints) if group in SHARED else 1
            size[joints, 0] = math.radians(self.degrees[group]) / share
            if group in SHARED:
                angles[:, joints] = angles[:, joints[:1]]
        return _to_matrix(torch.from_numpy((size * angles).astype(np.float32)))


def _balance(motion: Motion, recorded: Tensor, varied: Tensor) -> Motion:
    """Return a motion with changed rotations (F, 22, 3, 3) that stands as the recorded one."""
    rest = motion.skeleton - motion.skeleton[0]
    posed = forward_kinematics(torch.cat((recorded, varied)), rest, PARENTS_22)
    (R, R_new), (joints, new) = (part.chunk(2) for part in posed)
    lean = _lean(joints)
    for _ in range(TILT_STEPS):
        tilt = _tilt(lean, _lean(new))[:, None]
        R_new, new = tilt @ R_new, (tilt @ new[..., None])[..., 0]
    varied[:, 0] = R_new[:, 0]
    for knee, ankle, toe in zip(KNEES, ANKLES, TOES):
        varied[:, ankle] = R_new[:, knee].mT @ R[:, ankle]
        new[:, toe] = new[:, ankle] + R[:, ankle] @ (rest[toe] - rest[ankle])

    feet = _feet(joints)
    gap = feet - _feet(new)
    speed = (feet + motion.pelvis[:, None]).diff(dim=0).norm(dim=-1) * FPS
    standing = (-speed / STANDING_SPEED).softmax(dim=1)
    step = (standing[..., None] * gap.diff(dim=0)).sum(dim=1)
    shift = torch.cat((torch.zeros_like(step[:1]), step.cumsum(dim=0)))
    shift[:, 1] = (_bearing(_feet(new)) * gap[..., 1]).sum(dim=1)
    return replace(
        motion,
        rotations=matrix_to_quaternion(varied).roll(-1, dims=-1),
        pelvis=motion.pelvis + smooth_trajectory(shift, SHIFT_SMOOTHING),
    )


def _feet(joints: Tensor) -> Tensor:
    """Return the middle of each foot (F, 2, 3)."""
    return (joints[:, ANKLES] + joints[:, TOES]) / 2


def _bearing(feet: Tensor) -> Tensor:
    """Return the share (F, 2) of the weight that each foot (F, 2, 3) bears, by its height."""
    return (-feet[..., 1] / BEARING_HEIGHT).softmax(dim=1)


def _lean(joints: Tensor) -> Tensor:
    """Return the vector (F, 3) from where the body stands to its centre of mass."""
    masses = constant(MASSES, joints)
    centre = (masses / masses.sum()) @ joints
    feet = _feet(joints)
    return centre - (_bearing(feet)[..., None] * feet).sum(dim=1)


def _tilt(lean: Tensor, changed: Tensor) -> Tensor:
    """Return the rotations (F, 3, 3) that make the horizontal part of a changed lean the same."""
    angle = (lean - changed) / changed[:, 1:2].clamp(min=MIN_LEAN_HEIGHT)
    angle = angle.clamp(-MAX_TILT, MAX_TILT)
    about = torch.stack((angle[:, 2], torch.zeros_like(angle[:, 0]), -angle[:, 0]), dim=-1)
    return _to_matrix(smooth_trajectory(about, TILT_SMOOTHING))


def _to_matrix(axis_angle: Tensor) -> Tensor:
    return to_matrix(from_axis_angle(axis_angle))
