"""Camera on which the motions of several people agree.

Note:
    N frames of a scene, P people, S frames in which a person is seen, C states of the camera: N, or
    1 if it is static. The axes of the people's worlds are parallel, y up; lengths are in metres.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import solveh_banded
from scipy.sparse import coo_matrix, csr_matrix, diags, vstack

DEPTH_NOISE = 0.1
"""Usual varying error of a person's distance from the camera, and of its path, as a share of it."""
HEIGHT_NOISE = 0.05
"""Usual error of the height of the pelvis above the floor, m."""
NOISE_FRAMES = 15
"""Frames over which errors and the motion of the camera are alike: so many count as one."""
DEPTH_SCALE = 0.05
"""Usual constant error of a person's distance, as a share of it: of the size of the body."""
TILT = 0.03
"""Usual error of the vertical, radians."""
CAMERA_STEP = 0.05
"""Usual motion of the camera between frames, m: 1.5 m/s."""
MIN_ERROR = 0.5
"""Frames with smaller errors, in usual ones, have equal weights."""
ITERATIONS = 20
MIN_CHANGE = 1e-3
"""The iteration ends when no unknown changes by more than this, m."""


class Sighting(NamedTuple):
    """Path of a person in its world and from the camera, over the frames in which it is seen."""

    frames: np.ndarray
    """Numbers of the frames (S,), increasing."""
    path: np.ndarray
    """Pelvis (S, 3) in the person's world."""
    from_camera: np.ndarray
    """The way (S, 3) from the camera to the pelvis."""


@dataclass(frozen=True)
class SharedCamera:
    """Camera and people in one world.

    Attributes:
        offsets (np.ndarray): Shifts (P, 3) of the people's worlds.
        depth_errors (np.ndarray): Constant errors (P,) of the distances from the camera, as a share
            of the true distance.
        tilt (np.ndarray): Rotation vector (3,), horizontal, by which the camera was tilted wrongly.
        centres (np.ndarray): Path of the camera (N, 3).
        residuals (list[np.ndarray]): For each person the ways (S, 3) from the place at which the
            camera sees the person to the shifted path.
    """

    offsets: np.ndarray
    depth_errors: np.ndarray
    tilt: np.ndarray
    centres: np.ndarray
    residuals: list[np.ndarray]


def solve_shared_camera(
    sightings: Sequence[Sighting], offsets: np.ndarray, num_frames: int, static: bool
) -> SharedCamera:
    """Find the offsets of people and the path of the camera that agree best.

    Unknown are the offsets, the path of the camera, a constant error of the depth of each person,
    and an error of the vertical; all but the offsets are known to be small. Vertical positions are
    known much better than those along the view: for people on one floor they tell depths that are
    wrong. Errors count by their length rather than its square, so that the majority is followed.

    Args:
        sightings (Sequence[Sighting]): Of each person.
        offsets (np.ndarray): Shifts (P, 3): numbers where given, NaN where wanted.
        num_frames (int): N.
        static (bool): Whether the camera does not move.

    Source: maximum a posteriori by iteratively reweighted least squares.
    """
    wanted = np.isnan(offsets)
    columns = _Columns(1 if static else num_frames, wanted)
    rows = [columns.rows(s, person, static) for person, s in enumerate(sightings)]
    design = vstack(rows).tocsr()
    target = np.concatenate(
        [(s.path + np.nan_to_num(o) - s.from_camera).ravel() for s, o in zip(sightings, offsets)]
    )
    usual = np.concatenate([_usual_errors(s) for s in sightings])
    prior = columns.prior()
    errors = np.zeros(len(target) // 3)
    solution = np.zeros(columns.count)
    for _ in range(ITERATIONS):
        # Three axes of a frame have one weight.
        weights = 1 / (NOISE_FRAMES * np.maximum(errors, MIN_ERROR).repeat(3) * usual**2)
        weighted = design.T @ diags(weights)
        before = solution
        solution = columns.solve((weighted @ design + prior).tocsr(), weighted @ target)
        residual = target - design @ solution
        errors = np.linalg.norm((residual / usual).reshape(-1, 3), axis=-1)
        if np.abs(solution - before).max() < MIN_CHANGE:
            break
    centres, found, depth_errors, tilt = columns.split(solution)
    offsets = np.array(offsets, dtype=np.float64)
    offsets[wanted] = found
    ends = np.cumsum([len(s.frames) for s in sightings])[:-1]
    return SharedCamera(
        offsets,
        depth_errors,
        np.array([tilt[0], 0.0, tilt[1]]),
        np.broadcast_to(centres, (num_frames, 3)).copy(),
        np.split(residual.reshape(-1, 3), ends),
    )


def _usual_errors(sighting: Sighting) -> np.ndarray:
    """Return the usual errors (3 S,) along x, y and z."""
    way = sighting.from_camera
    usual = np.repeat(DEPTH_NOISE * np.linalg.norm(way, axis=-1, keepdims=True), 3, axis=1)
    usual[:, 1] = np.hypot(HEIGHT_NOISE, DEPTH_NOISE * way[:, 1])
    return usual.ravel()


class _Columns:
    """Unknowns of the least squares: camera (C, 3), wanted offsets, depth errors (P,), tilt (2,).

    Args:
        states (int): C.
        wanted (np.ndarray): Wanted offsets (P, 3), bool.
    """

    def __init__(self, states: int, wanted: np.ndarray) -> None:
        self.states, self.wanted = states, wanted
        self.offset = 3 * states + np.where(wanted, wanted.cumsum().reshape(-1, 3) - 1, -1)
        self.depth = 3 * states + int(wanted.sum())
        self.tilt = self.depth + len(wanted)
        self.count = self.tilt + 2

    def rows(self, sighting: Sighting, person: int, static: bool) -> coo_matrix:
        """Return the derivatives (3 S, unknowns) of what path minus way from the camera should be.

        The path plus the offset is the camera's place plus the way, longer by the depth error and
        turned by the tilt.
        """
        count = len(sighting.frames)
        row = np.arange(3 * count).reshape(count, 3)
        state = np.zeros(count, int) if static else sighting.frames
        x, y, z = sighting.from_camera.T
        entries = [(row, 3 * state[:, None] + np.arange(3), np.ones((count, 3)))]
        for axis in np.flatnonzero(self.wanted[person]):
            entries.append((row[:, axis], self.offset[person, axis], -1.0))
        entries.append((row, self.depth + person, sighting.from_camera))
        about_x, about_z = self.tilt, self.tilt + 1
        entries += [
            (row[:, 1], about_x, -z),
            (row[:, 2], about_x, y),
            (row[:, 0], about_z, -y),
            (row[:, 1], about_z, x),
        ]
        parts = [[array.ravel() for array in np.broadcast_arrays(*entry)] for entry in entries]
        rows, columns, values = (np.concatenate(part) for part in zip(*parts))
        return coo_matrix((values, (rows, columns)), (3 * count, self.count))

    def prior(self) -> coo_matrix:
        """Return the information (unknowns, unknowns) before any person is seen."""
        steps = diags([-1.0, 1.0], [0, 3], shape=(3 * self.states - 3, self.count))
        motion = steps.T @ steps / (NOISE_FRAMES * CAMERA_STEP**2)
        small = np.zeros(self.count)
        small[self.depth : self.tilt] = DEPTH_SCALE**-2
        small[self.tilt :] = TILT**-2
        return diags(small) + motion

    def solve(self, information: csr_matrix, right: np.ndarray) -> np.ndarray:
        """Solve the normal equations; the part of the camera has few diagonals."""
        camera = 3 * self.states
        diagonals = np.zeros((4, camera))
        diagonals[0] = information.diagonal()[:camera]
        diagonals[3, :-3] = information[:camera, :camera].diagonal(3)
        coupling = information[:camera, camera:].toarray()
        reduced = solveh_banded(diagonals, np.column_stack((coupling, right[:camera])), lower=True)
        left = information[camera:, camera:].toarray() - coupling.T @ reduced[:, :-1]
        others = np.linalg.solve(left, right[camera:] - coupling.T @ reduced[:, -1])
        return np.concatenate((reduced[:, -1] - reduced[:, :-1] @ others, others))

    def split(self, solution: np.ndarray) -> list[np.ndarray]:
        """Return camera (C, 3), wanted offsets, depth errors (P,) and tilt (2,)."""
        camera, *others = np.split(solution, (3 * self.states, self.depth, self.tilt))
        return [camera.reshape(-1, 3), *others]
