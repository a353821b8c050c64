"""Random cameras that film a recorded motion."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...core.camera import intrinsics_from_sensor
from ...core.conventions import FPS
from ...core.errors import ConfigError
from ...core.extrinsics import look_at, rigid_transform
from ...core.rotation import axis_angle_to_matrix
from ...registry import TASK_UTILS
from .motion import smooth_trajectory

CAMERA_KINDS = ('static', 'pan', 'track', 'dolly', 'handheld')
STATURE = 1.7
"""Height of a person in metres, for the distance that gives the drawn size in the image."""
MIN_DISTANCE = 1.2
"""Metres from the camera to the pelvis; if smaller, an arm could be behind the camera."""
MIN_HEIGHT = 0.1
"""Metres of the camera above the floor."""
MAX_ELEVATION = math.radians(60)
MARGIN = 0.05
"""Smallest distance of the pelvis from the border, as a share of the image side."""
TRAJECTORY_SHARE = 0.8
"""Largest extent of the trajectory before a static camera, as a share of the shorter side."""
ANGLE_LIMIT = math.radians(75)


class CameraTrajectory(NamedTuple):
    """Moving camera of F frames.

    Args:
        T_w2c (Tensor): World to camera (F, 4, 4), metres.
        K (Tensor): Intrinsics (3, 3) in pixels.
        img_wh (tuple[int, int]): Image width and height in pixels.
        kind (str): One of the kinds of :class:`VirtualCamera`.
    """

    T_w2c: Tensor
    K: Tensor
    img_wh: tuple[int, int]
    kind: str

    @property
    def is_static(self) -> bool:
        """Whether it stands still."""
        return self.kind == 'static'


@TASK_UTILS.register_module()
class VirtualCamera:
    """Film a person with a random camera in a y-up world.

    The pelvis stays in the image; limbs need not. A static camera that would lose the person pans.

    Note:
        F frames. Kinds: ``static``; ``pan`` rotates after the person; ``track`` moves along beside
        them; ``dolly`` moves around, towards or away from them; ``handheld`` is one of the first
        three, carried by someone whose hands shake and who may walk.

    Args:
        kinds (Sequence[str]): Drawn from with equal probability. Defaults to all five.
        focal_mm (tuple[float, float]): Range of the focal length, as of a 36 x 24 mm sensor; its
            logarithm is uniform. Defaults to (24, 200).
        person_size (tuple[float, float]): Range of the person's height over that of the image,
            which decides the distance; its logarithm is uniform. Defaults to (0.2, 1.5).
        height (tuple[float, float]): Range in metres above the floor of most cameras. Defaults to
            (0.3, 2.5).
        any_angle_prob (float): Probability of a camera that looks from any angle between 10 degrees
            below and 60 above instead. Defaults to 0.25.
        roll (float): Largest roll in degrees. Defaults to 20.
        level_prob (float): Probability of a camera that is level to about 2 degrees instead.
            Defaults to 0.5.
        offset (float): Largest distance of the person from the image centre, as a share of the
            image sides. Defaults to 0.3.
        image_sizes (Sequence[tuple[int, int]]): Widths and heights in pixels, drawn from. Defaults
            to 16:9, 9:16, 4:3 and 1:1.

    Raises:
        ConfigError: If a range or kind is impossible.

    Source: GVHMR, Sec. 4.1, whose cameras are static, or turn and move at random.
    """

    def __init__(
        self,
        kinds: Sequence[str] = CAMERA_KINDS,
        focal_mm: tuple[float, float] = (24.0, 200.0),
        person_size: tuple[float, float] = (0.2, 1.5),
        height: tuple[float, float] = (0.3, 2.5),
        any_angle_prob: float = 0.25,
        roll: float = 20.0,
        level_prob: float = 0.5,
        offset: float = 0.3,
        image_sizes: Sequence[tuple[int, int]] = (
            (1280, 720),
            (720, 1280),
            (1280, 960),
            (1080, 1080),
        ),  # fmt: skip
    ) -> None:
        unknown = sorted(set(kinds) - set(CAMERA_KINDS))
        if unknown or not kinds:
            raise ConfigError(f'`kinds` should name some of {CAMERA_KINDS}, got {tuple(kinds)}')
        for name, (low, high) in dict(
            focal_mm=focal_mm, person_size=person_size, height=height
        ).items():
            if not 0 < low <= high:
                raise ConfigError(f'`{name}` should be a range above 0, got {(low, high)}')
        for name, prob in dict(any_angle_prob=any_angle_prob, level_prob=level_prob).items():
            if not 0 <= prob <= 1:
                raise ConfigError(f'`{name}` should be a probability, got {prob}')
        if not 0 <= offset < 0.5 - MARGIN:
            raise ConfigError(f'`offset` should be in [0, {0.5 - MARGIN}), got {offset}')
        self.kinds = tuple(kinds)
        self.focal_mm, self.person_size, self.height = focal_mm, person_size, height
        self.any_angle_prob, self.level_prob = any_angle_prob, level_prob
        self.roll, self.offset = roll, offset
        self.image_sizes = tuple((int(width), int(height)) for width, height in image_sizes)

    def __call__(self, pelvis: Tensor, rng: np.random.Generator) -> CameraTrajectory:
        """Film a person.

        Args:
            pelvis (Tensor): Trajectory of the pelvis (F, 3) in metres, y up, the floor at y = 0.
            rng (Generator): Source of all randomness.
        """
        width, height = self.image_sizes[int(rng.integers(len(self.image_sizes)))]
        K = intrinsics_from_sensor(width, height, _log_uniform(self.focal_mm, rng), torch.float32)
        focal = float(K[0, 0])
        kind = self.kinds[int(rng.integers(len(self.kinds)))]
        movement = CAMERA_KINDS[int(rng.integers(3))] if kind == 'handheld' else kind
        trajectory = smooth_trajectory(pelvis, float(rng.uniform(4, 20)))
        middle = trajectory.mean(dim=0, keepdim=True)
        extent = float((trajectory - middle).norm(dim=-1).max())
        distance = max(
            focal * STATURE / (_log_uniform(self.person_size, rng) * height), MIN_DISTANCE
        )
        if movement != 'track':
            distance = max(distance, extent + MIN_DISTANCE)
        if movement == 'static':
            share = TRAJECTORY_SHARE * min(width, height) / 2
            distance = max(distance, extent * (1 + focal / share))
        anchor = trajectory if movement == 'track' else middle.expand_as(trajectory)
        position = self._position(movement, anchor, distance, extent, rng)
        target = middle.expand_as(trajectory) if movement == 'static' else trajectory
        centre = rng.uniform(-self.offset, self.offset, 2) * (width, height) / focal
        roll = self._draw_roll(rng)
        aim = _aim(*centre, roll)
        if kind == 'handheld':
            position = position + _hand_shift(len(trajectory), rng)
            shake = _hand_turn(len(trajectory), min(width, height) / focal, rng)
            aim = axis_angle_to_matrix(shake) @ aim
        T_w2c = _turn(look_at(position, target), aim)
        if not _in_image(T_w2c, pelvis, K, width, height):
            T_w2c = _turn(look_at(position, pelvis), _aim(*centre, roll))
            kind = 'pan' if kind == 'static' else kind
        return CameraTrajectory(T_w2c, K, (width, height), kind)

    def _position(
        self,
        movement: str,
        anchor: Tensor,
        distance: float,
        extent: float,
        rng: np.random.Generator,
    ) -> Tensor:
        """Return camera centres (F, 3) around the anchor (F, 3)."""
        frames = len(anchor)
        azimuth = torch.full((frames,), float(rng.uniform(-math.pi, math.pi)))
        reach = torch.full((frames,), distance)
        middle = float(anchor[:, 1].mean())
        if rng.random() < 1 - self.any_angle_prob:
            rise = (float(rng.uniform(*self.height)) - middle) / distance
            elevation = math.asin(max(-math.sin(MAX_ELEVATION), min(math.sin(MAX_ELEVATION), rise)))
        else:
            elevation = float(rng.uniform(math.radians(-10), MAX_ELEVATION))
        if movement == 'dolly':
            seconds = torch.arange(frames) / FPS
            azimuth = azimuth + float(rng.uniform(-0.5, 0.5)) * seconds
            nearest = math.log((extent + MIN_DISTANCE) / distance)
            zoom = float(rng.uniform(-0.4, 0.4)) * seconds / 4
            reach = reach * zoom.clamp(min=nearest).exp()
        elevation = max(elevation, math.asin(max(-1.0, min(1.0, (MIN_HEIGHT - middle) / distance))))
        level = math.cos(elevation)
        away = torch.stack(
            (azimuth.sin() * level, torch.full_like(azimuth, math.sin(elevation)),
             azimuth.cos() * level), dim=-1,
        )  # fmt: skip
        position = anchor + reach[:, None] * away
        position[:, 1].clamp_(min=MIN_HEIGHT)
        return position

    def _draw_roll(self, rng: np.random.Generator) -> float:
        """Return a roll in radians."""
        level = rng.random() < self.level_prob
        degrees = rng.normal(0, 2) if level else rng.uniform(-self.roll, self.roll)
        return math.radians(max(-self.roll, min(self.roll, degrees)))


def _aim(x: float, y: float, roll: float) -> Tensor:
    """Return a rotation (3, 3) of a camera that moves what is in its centre to (x, y) / focal.

    The roll, in radians, is about what is looked at.
    """
    yaw, pitch = math.atan(x), -math.atan2(y, math.hypot(1, x))
    cos, sin = math.cos(yaw), math.sin(yaw)
    about_y = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    cos, sin = math.cos(pitch), math.sin(pitch)
    about_x = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    cos, sin = math.cos(roll), math.sin(roll)
    about_z = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return torch.from_numpy((about_y @ about_x @ about_z).astype(np.float32))


def _log_uniform(limits: tuple[float, float], rng: np.random.Generator) -> float:
    return math.exp(rng.uniform(math.log(limits[0]), math.log(limits[1])))


def _turn(T_w2c: Tensor, rotation: Tensor) -> Tensor:
    """Turn cameras (F, 4, 4) about their centres by (3, 3) or (F, 3, 3)."""
    return rigid_transform(rotation @ T_w2c[:, :3, :3], (rotation @ T_w2c[:, :3, 3:])[..., 0])


def _in_image(T_w2c: Tensor, point: Tensor, K: Tensor, width: int, height: int) -> bool:
    """Return whether a point (F, 3) stays in the image."""
    seen = (T_w2c[:, :3, :3] @ point[..., None])[..., 0] + T_w2c[:, :3, 3]
    if float(seen[:, 2].min()) < MIN_DISTANCE / 2:
        return False
    place = (seen[:, :2] / seen[:, 2:] * K[0, 0]).abs()
    limit = torch.tensor([width, height]) * (0.5 - MARGIN)
    return bool((place < limit).all())


def _slow(frames: int, channels: int, hertz: tuple[float, float], rng: np.random.Generator):
    """Return a smooth random signal (F, channels) of about unit deviation: a few sines each."""
    seconds = torch.arange(frames) / FPS
    rate = torch.from_numpy(rng.uniform(*hertz, (4, channels))).float() * 2 * math.pi
    phase = torch.from_numpy(rng.uniform(0, 2 * math.pi, (4, channels))).float()
    return (rate * seconds[:, None, None] + phase).sin().sum(dim=1) * 0.5**0.5


def _hand_turn(frames: int, view: float, rng: np.random.Generator) -> Tensor:
    """Return rotation vectors (F, 3) of a hand that shakes; ``view`` is the field of view, rad."""
    size = min(view, ANGLE_LIMIT) * float(rng.uniform(0.005, 0.04))
    return size * _slow(frames, 3, (0.2, 2.0), rng)


def _hand_shift(frames: int, rng: np.random.Generator) -> Tensor:
    """Return how a hand moves (F, 3) in metres; every second one belongs to someone who walks."""
    shift = float(rng.uniform(0.005, 0.05)) * _slow(frames, 3, (0.1, 1.0), rng)
    if rng.random() < 0.5:
        rate = 2 * math.pi * float(rng.uniform(1.6, 2.1))
        shift[:, 1] += 0.015 * (rate * torch.arange(frames) / FPS).sin()
    return shift
