"""Placement of the people of a scene in one gravity-aligned world, through their one camera.

Note:
    F frames of a person, N frames of a scene, P people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from ..core.checks import check_shape
from ..core.errors import ShapeError
from ..core.extrinsics import rigid_transform
from ..core.postprocess import ground_height
from ..core.postprocess.chain_solver import arc
from ..core.rotation import axis_angle_to_matrix, mean_rotation, rotation_about_axis
from .shared_camera import Sighting, solve_shared_camera


@dataclass(frozen=True)
class SeenMotion:
    """Recovered motion of a person, in the camera and in a world of its own.

    Args:
        start (int): Number of the first frame in the scene.
        seen (Tensor): Frames in which the person was detected (F,), bool.
        R_c (Tensor): Root orientation in the camera (F, 3, 3).
        pelvis_c (Tensor): Pelvis joint in the camera (F, 3), m.
        R_w (Tensor): Root orientation in the person's world (F, 3, 3), y up.
        joints_w (Tensor): Joints in that world (F, 22, 3), m; the first is the pelvis.
        contacts (Tensor): Contact of each of the ``STATIC_JOINTS`` (F, 6), bool.
    """

    start: int
    seen: Tensor
    R_c: Tensor
    pelvis_c: Tensor
    R_w: Tensor
    joints_w: Tensor
    contacts: Tensor

    def __len__(self) -> int:
        return len(self.seen)

    @property
    def frames(self) -> slice:
        """The person's frames among those of the scene."""
        return slice(self.start, self.start + len(self))


@dataclass(frozen=True)
class Placement:
    """Rigid motion from a person's world to the common one.

    Args:
        R (Tensor): Rotation (3, 3) about the vertical.
        shift (Tensor): Shift (3,), m.
        depth_error (float): Constant error of the person's distance from the camera that the floor
            and the other people reveal, as a share of the true distance; at most a guess.
        residual (float): Median distance (m) between the person's path in the world and the one
            that camera and depth give, over the frames in which the person is seen.
        floor_gap (float): Median height (m) of the former over the latter: that of a step below the
            person, or an error of depth and tilt.
        linked (bool): Whether the person is seen together with others, directly or through a chain
            of people, or the camera is static. If not, the place is a guess: the camera is taken to
            move little meanwhile.
    """

    R: Tensor
    shift: Tensor
    depth_error: float
    residual: float
    floor_gap: float
    linked: bool

    def __call__(self, points: Tensor) -> Tensor:
        """Move points (..., 3), m, to the common world."""
        return points @ self.R.mT + self.shift


@dataclass(frozen=True)
class OneWorld:
    """People and camera of a scene in one world, y up, with the floor at y = 0.

    Args:
        placements (list[Placement]): Of each person.
        T_w2c (Tensor): The camera (N, 4, 4) on which the people agree, m.
    """

    placements: list[Placement]
    T_w2c: Tensor


def place_in_one_world(
    people: Sequence[SeenMotion], R_w2c: Tensor, static_camera: bool = False
) -> OneWorld:
    """Place the people of a scene, whose worlds differ in heading and origin, in one world.

    A person's world is turned about the vertical and shifted as a whole, so that nobody's motion
    changes. The headings follow from the rotation of the camera. The positions are those for which
    the paths of the people agree best with the places at which the camera sees them, where the path
    of the camera is unknown and slow. All stand on the floor y = 0. The first person keeps heading
    and horizontal position.

    Args:
        people (Sequence[SeenMotion]): One or more, each seen in at least one frame.
        R_w2c (Tensor): Rotation of the camera (N, 3, 3) in any world, such as that of a visual
            gyro.
        static_camera (bool): Whether the camera does not move. Defaults to False.

    Returns:
        OneWorld: Placements in the order of the people, and the camera, as float64.

    Raises:
        ShapeError: If there is nobody, somebody is never seen, or shapes or frames do not fit.
    """
    _check(people, R_w2c)
    headings, R_c2w = _common_rotation(people, R_w2c.double())
    sightings, offsets = [], np.full((len(people), 3), np.nan)
    offsets[0] = 0
    for number, (person, R) in enumerate(zip(people, headings)):
        path = person.joints_w[:, 0].double() @ R.mT
        from_camera = _rotate(R_c2w[person.frames], person.pelvis_c.double())
        frames = person.start + person.seen.nonzero()[:, 0]
        arrays = (frames, path[person.seen], from_camera[person.seen])
        sightings.append(Sighting(*(array.numpy() for array in arrays)))
        arrays = (person.joints_w, person.contacts, person.seen)
        offsets[number, 1] = -float(ground_height(*(array[None] for array in arrays)))
    camera = solve_shared_camera(sightings, offsets, len(R_w2c), static_camera)

    linked = _linked(sightings) | static_camera
    found = zip(headings, camera.offsets, camera.depth_errors, camera.residuals, linked)
    placements = [
        Placement(
            R=R,
            shift=torch.from_numpy(offset),
            depth_error=float(depth_error),
            residual=float(np.median(np.linalg.norm(residuals, axis=-1))),
            floor_gap=float(np.median(residuals[:, 1])),
            linked=bool(together),
        )
        for R, offset, depth_error, residuals, together in found
    ]
    R_w2c = (axis_angle_to_matrix(torch.from_numpy(camera.tilt)) @ R_c2w).mT
    T_w2c = rigid_transform(R_w2c, -_rotate(R_w2c, torch.from_numpy(camera.centres)))
    return OneWorld(placements, T_w2c)


def _common_rotation(people: Sequence[SeenMotion], R_w2c: Tensor) -> tuple[list[Tensor], Tensor]:
    """Return each person's rotation (3, 3) about the vertical, and the camera's (N, 3, 3).

    The common vertical is the mean of those of the people, who each have their own error of tilt.
    """
    R_to_own = []
    for person in people:
        R_c2w = person.R_w.double() @ person.R_c.double().mT
        R_to_own.append(mean_rotation((R_c2w @ R_w2c[person.frames])[person.seen]))
    ups = torch.stack([R[1] * person.seen.sum() for person, R in zip(people, R_to_own)])
    up = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    R_common = axis_angle_to_matrix(arc(R_to_own[0] @ ups.sum(dim=0), up)) @ R_to_own[0]
    headings = []
    for R_own in R_to_own:
        R = R_common @ R_own.mT
        heading = torch.atan2(R[0, 2] - R[2, 0], R[0, 0] + R[2, 2])
        headings.append(rotation_about_axis('y', heading))
    return headings, R_common @ R_w2c.mT


def _rotate(R: Tensor, points: Tensor) -> Tensor:
    return (R @ points[..., None])[..., 0]


def _linked(sightings: Sequence[Sighting]) -> np.ndarray:
    """Return a mask (P,) of the people in the largest group that common frames link."""
    together = [[len(np.intersect1d(a.frames, b.frames)) for b in sightings] for a in sightings]
    group = connected_components(np.array(together), directed=False)[1]
    return group == np.bincount(group).argmax()


def _check(people: Sequence[SeenMotion], R_w2c: Tensor) -> None:
    if not people:
        raise ShapeError('`people` should have at least one person, got none')
    frames = check_shape(R_w2c, 'N 3 3', 'R_w2c')['N']
    for number, person in enumerate(people):
        name = f'people[{number}]'
        length = check_shape(person.seen, 'F', f'{name}.seen')
        for field, pattern in (
            ('R_c', 'F 3 3'),
            ('pelvis_c', 'F 3'),
            ('R_w', 'F 3 3'),
            ('joints_w', 'F 22 3'),
            ('contacts', 'F 6'),
        ):
            check_shape(getattr(person, field), pattern, f'{name}.{field}', **length)
        if person.start < 0 or person.frames.stop > frames:
            raise ShapeError(
                f'{name} should lie within the {frames} frames of `R_w2c`, got frames '
                f'{person.start} to {person.frames.stop - 1}'
            )
        if not person.seen.any():
            raise ShapeError(f'{name} should be seen in at least one frame: leave it out')
