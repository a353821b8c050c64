"""Recorded motion in the world, and its transformations."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...core.conventions import FPS, JOINT_FLIP_INDEX
from .quaternions import from_axis_angle, left_product, slerp, to_axis_angle, to_matrix

MAX_ACCELERATION = 200.0
"""m/s² of the pelvis; jumps and landings stay below 110."""
MAX_JOINT_STEP = 2.0
"""Radians that a joint turns in a frame; the fastest kicks stay below 1."""
Z_UP_TO_Y_UP = (-(0.5**0.5), 0.0, 0.0, 0.5**0.5)
"""Quaternion that rotates +z to +y."""
MIRROR_QUATERNION = (1.0, -1.0, -1.0, 1.0)
"""Signs of (x, y, z, w) that mirror a rotation at the plane x = 0."""


@dataclass(frozen=True)
class Motion:
    """Joint rotations and trajectory of the pelvis in a y-up world, 30 frames per second.

    Note:
        F frames. Quaternions are x, y, z, w, which interpolate faster than matrices.

    Args:
        rotations (Tensor): Root orientation and 21 relative joint rotations (F, 22, 4).
        pelvis (Tensor): Position of the pelvis joint (F, 3) in metres.
        skeleton (Tensor): Rest joints (22, 3) of the person, in metres.
    """

    rotations: Tensor
    pelvis: Tensor
    skeleton: Tensor

    @classmethod
    def from_axis_angle(cls, poses: Tensor, transl: Tensor, skeleton: Tensor) -> 'Motion':
        """Build a motion from poses (F, 66) and the translation (F, 3) of the SMPL family."""
        rotations = from_axis_angle(poses.unflatten(-1, (-1, 3)))
        return cls(rotations, transl + skeleton[0], skeleton)

    def __len__(self) -> int:
        return len(self.pelvis)

    @property
    def matrices(self) -> Tensor:
        """The rotations as matrices (F, 22, 3, 3)."""
        return to_matrix(self.rotations)

    @property
    def axis_angle(self) -> Tensor:
        """The rotations as axis-angle vectors (F, 66) in radians."""
        return to_axis_angle(self.rotations).flatten(1)

    def rotate(self, quaternion: Tensor) -> 'Motion':
        """Rotate the world by a quaternion (4,)."""
        root = left_product(quaternion, self.rotations[:, 0])
        return replace(
            self,
            rotations=torch.cat((root[:, None], self.rotations[:, 1:]), dim=1),
            pelvis=self.pelvis @ to_matrix(quaternion).T,
        )

    def turn(self, yaw: float) -> 'Motion':
        """Rotate the heading by an angle in radians."""
        return self.rotate(torch.tensor([0.0, math.sin(yaw / 2), 0.0, math.cos(yaw / 2)]))

    def mirror(self) -> 'Motion':
        """Swap left and right."""
        swapped = self.rotations[:, JOINT_FLIP_INDEX, :]
        return replace(
            self,
            rotations=swapped * swapped.new_tensor(MIRROR_QUATERNION),
            pelvis=self.pelvis * self.pelvis.new_tensor([-1.0, 1.0, 1.0]),
        )

    def resample(self, positions: Tensor) -> 'Motion':
        """Interpolate the motion at fractional frames.

        Args:
            positions (Tensor): Frames (N,), fractions included, in [0, F - 1].

        Returns:
            Motion: Of N frames; rotations follow the shortest arc.
        """
        first = positions.long().clamp(max=len(self) - 1)
        second = (first + 1).clamp(max=len(self) - 1)
        share = (positions - first).to(self.pelvis)
        return replace(
            self,
            rotations=slerp(self.rotations[first], self.rotations[second], share[:, None, None]),
            pelvis=torch.lerp(self.pelvis[first], self.pelvis[second], share[:, None]),
        )

    def fit(self, skeleton: Tensor) -> 'Motion':
        """Transfer the motion to another rest skeleton (22, 3).

        The trajectory is scaled by the leg length, so that static feet stay static on the same
        floor (y = 0).
        """
        scale = leg_length(skeleton) / leg_length(self.skeleton)
        return replace(self, pelvis=self.pelvis * scale, skeleton=skeleton)


def leg_length(skeleton: Tensor) -> Tensor:
    """Return the height of the pelvis above the feet of a rest skeleton (22, 3) in metres."""
    return skeleton[0, 1] - skeleton[10:12, 1].mean()


def frame_positions(frames: int, frame_rate: float) -> Tensor:
    """Return the positions in a recording of frames at 30 frames per second.

    Args:
        frames (int): Frames of the recording.
        frame_rate (float): Its frames per second.

    Returns:
        Tensor: Positions (N,), fractions included; the last lies within the recording.
    """
    count = math.floor((frames - 1) * FPS / frame_rate + 1e-6) + 1
    return (torch.arange(count, dtype=torch.float64) * (frame_rate / FPS)).clamp(max=frames - 1)


def acceleration(motion: Motion) -> Tensor:
    """Return the acceleration of the pelvis (F - 2,) in m/s²."""
    pelvis = motion.pelvis
    return (pelvis[2:] - 2 * pelvis[1:-1] + pelvis[:-2]).norm(dim=-1) * FPS**2


def joint_steps(motion: Motion) -> Tensor:
    """Return the largest rotation of a joint from frame to frame (F - 1,), in radians."""
    cosine = (motion.rotations[1:] * motion.rotations[:-1]).sum(dim=-1).abs()
    return 2 * cosine.clamp(max=1.0).acos().amax(dim=-1)


def smooth_trajectory(trajectory: Tensor, sigma: float) -> Tensor:
    """Smooth a trajectory (F, 3) by a Gaussian of ``sigma`` frames.

    One small matrix product is several times as fast as the convolution of the package.
    """
    frame = torch.arange(len(trajectory), dtype=trajectory.dtype)
    weights = torch.exp(-0.5 * ((frame - frame[:, None]) / sigma) ** 2)
    return weights @ trajectory / weights.sum(dim=1, keepdim=True)
