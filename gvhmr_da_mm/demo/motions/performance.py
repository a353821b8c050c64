"""Motion of a given length, made of motion clips and fitted to a person's body."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.conventions import FPS
from gvhmr_da_mm.core.rotation import matrix_to_axis_angle

from ..body.posed_body import PosedBody
from ..noise import slow_noise, white_noise
from .clip import MotionClip, Take
from .contact import put_on_floor, stop_skating

CROSS_FADE = 12
"""Frames of overlap between joined clips."""
TEMPO = (0.8, 1.2)
"""Range of the tempo, as a factor."""
MAX_TURNING = 0.35
"""Largest standard deviation of the heading's drift, rad/s."""
HIP, KNEE, ANKLE = 1, 4, 7


@dataclass(frozen=True)
class Performance:
    """SMPL-X neutral parameters in a y-up world.

    Args:
        body_pose (Tensor): Axis-angle (F, 63).
        betas (Tensor): Shape (10,).
        global_orient (Tensor): Axis-angle (F, 3).
        transl (Tensor): Metres (F, 3).
        root_offset (Tensor): Rest position of the root joint (3,).
    """

    body_pose: Tensor
    betas: Tensor
    global_orient: Tensor
    transl: Tensor
    root_offset: Tensor

    @property
    def pelvis(self) -> Tensor:
        """Trajectory of the root joint (F, 3), metres."""
        return self.transl + self.root_offset

    def move(self, offset: Tensor) -> 'Performance':
        """Shift by ``offset`` (3,) or (F, 3) metres."""
        return replace(self, transl=self.transl + offset)


def _leg_length(skeleton: Tensor) -> Tensor:
    thigh, shin = skeleton[HIP] - skeleton[KNEE], skeleton[KNEE] - skeleton[ANKLE]
    return thigh.norm() + shin.norm()


def random_clip(
    takes: Sequence[Take], frames: int, body: PosedBody, betas: Tensor, rng: np.random.Generator
) -> MotionClip:
    """Vary, fit and join clips to a motion of ``frames`` frames.

    Args:
        takes (Sequence[Take]): Clips to use in turn.
        frames (int): Length.
        body (PosedBody): SMPL-X neutral, with the vertices that may touch the floor.
        betas (Tensor): The person's shape (10,).
        rng (Generator): Source of all randomness.
    """
    rest, usual = body.skeleton(betas), body.skeleton(torch.zeros(10))
    ratio = _leg_length(rest) / _leg_length(usual)
    queue = [takes[index] for index in rng.permutation(len(takes))]
    mirrored = bool(rng.integers(2))
    tempo = rng.uniform(*TEMPO)
    motion = None
    while motion is None or len(motion) < frames:
        take = queue.pop(0)
        queue.append(take)
        clip = (take.clip.mirror() if mirrored else take.clip).change_tempo(tempo)
        # Longer legs make longer steps, or the feet would skate.
        clip = MotionClip(clip.rotations, clip.pelvis * ratio)
        clip = put_on_floor(clip, body, betas, leaps=take.leaps)
        motion = clip if motion is None else motion.append(clip, CROSS_FADE)
    start = int(rng.integers(len(motion) - frames + 1))
    motion = motion[start : start + frames]
    turning = rng.uniform(0, MAX_TURNING) / FPS
    drift = turning * slow_noise(frames, (), 30.0, rng).cumsum(0)
    motion = motion.turn(rng.uniform(-np.pi, np.pi) + drift)
    return motion.shake(rng.uniform(0.01, 0.04), rng)


def random_betas(rng: np.random.Generator) -> Tensor:
    """Draw neutral betas (10,) of a person."""
    return white_noise((10,), rng).clamp(-1.8, 1.8)


def perform(
    takes: Sequence[Take], frames: int, betas: Tensor, body: PosedBody, rng: np.random.Generator
) -> Performance:
    """Return a random motion of a person on the floor y = 0.

    Args:
        takes (Sequence[Take]): Clips to use in turn.
        frames (int): Length F.
        betas (Tensor): Neutral shape (10,).
        body (PosedBody): SMPL-X neutral, with the vertices that may touch the floor.
        rng (Generator): Source of all randomness.
    """
    clip = random_clip(takes, frames, body, betas, rng)
    clip = stop_skating(put_on_floor(clip, body, betas), body, betas)
    clip = clip.move(-clip.pelvis.mean(0) * torch.tensor([1.0, 0.0, 1.0]))
    pose, root = matrix_to_axis_angle(clip.rotations), body.skeleton(betas)[0]
    return Performance(pose[:, 1:].flatten(1), betas, pose[:, 0], clip.pelvis - root, root)
