"""Placement of the people of each scene of a video in one world."""

from dataclasses import replace

import numpy as np
import torch

from ...core.rotation import axis_angle_to_matrix
from ...structures import PersonMotion
from ...video import one_world
from .known_facts import MIN_CONTACT_PROBABILITY, moved

MAX_RESIDUAL = 0.25
"""Largest median distance (m) of path and sight that is not noted."""


def place_people(
    people: list[PersonMotion], R_w2c: np.ndarray, static: bool, starts: list[int]
) -> tuple[list[PersonMotion], np.ndarray]:
    """Place the people of each scene in one world, with the floor at y = 0.

    The worlds of scenes have nothing to do with each other.

    Args:
        people (list[PersonMotion]): Each within one scene.
        R_w2c (np.ndarray): Rotation of the camera (N, 3, 3) in any world.
        static (bool): Whether the camera stands still.
        starts (list[int]): First frames of the scenes, see :func:`scene_starts`.

    Returns:
        tuple[list[PersonMotion], np.ndarray]: The people, and the camera (N, 4, 4), in their world.
    """
    T_w2c = np.empty((len(R_w2c), 4, 4))
    placed: list[PersonMotion] = []
    for start, end in zip(starts, [*starts[1:], len(R_w2c)]):
        here = [person for person in people if start <= person.first_frame < end]
        camera = torch.from_numpy(R_w2c[start:end])
        in_scene = [_in_scene(person, start) for person in here]
        found = one_world.place_in_one_world(in_scene, camera, static)
        T_w2c[start:end] = found.T_w2c.numpy()
        placed += [_placed(*pair) for pair in zip(here, found.placements)]
    return sorted(placed, key=lambda person: person.id), T_w2c


def scene_starts(people: list[PersonMotion], cuts: list[int]) -> list[int]:
    """Return the first frame of each scene with people; that of the first is 0.

    Args:
        people (list[PersonMotion]): One or more.
        cuts (list[int]): Frames that are known to begin a scene. Where people of two scenes have
            none between them, the later scene begins with its people.
    """
    scenes = sorted({person.scene for person in people})
    starts = []
    for scene in scenes:
        first = min(person.first_frame for person in people if person.scene == scene)
        before = [person.last_frame for person in people if person.scene < scene]
        between = [cut for cut in cuts if max(before, default=-1) < cut <= first]
        starts.append(max(between, default=first))
    return [0, *starts[1:]]


def _in_scene(person: PersonMotion, start: int) -> one_world.SeenMotion:
    orients = (person.global_orient_c, person.global_orient_w)
    R_c, R_w = (axis_angle_to_matrix(torch.from_numpy(value).double()) for value in orients)
    return one_world.SeenMotion(
        start=person.first_frame - start,
        seen=torch.from_numpy(person.seen),
        R_c=R_c,
        pelvis_c=torch.from_numpy(person.joints_c[:, 0]).double(),
        R_w=R_w,
        joints_w=torch.from_numpy(person.joints_w).double(),
        contacts=torch.from_numpy(person.contacts > MIN_CONTACT_PROBABILITY),
    )


def _placed(person: PersonMotion, placement: one_world.Placement) -> PersonMotion:
    notes = list(person.notes)
    if not placement.linked:
        notes.append('never seen together with the others: the place among them is a guess')
    if placement.residual > MAX_RESIDUAL:
        notes.append(
            f'the path and the places that the camera sees differ by {placement.residual:.1f} m in '
            'the median frame: distances to others are as uncertain'
        )
    moved_there = moved(person, placement.R.numpy(), placement.shift.numpy())
    return replace(moved_there, notes=notes)
