"""Placement of the people of each scene of a video in one world."""

from dataclasses import replace

import numpy as np
import torch

from ...core.rotation import axis_angle_to_matrix
from ...structures import PersonMotion
from ...video import one_world
from .known_facts import MIN_CONTACT_PROBABILITY, moved


def place_people(
    people: list[PersonMotion], R_w2c: np.ndarray, static: bool, cuts: list[int]
) -> tuple[list[PersonMotion], np.ndarray]:
    """Place the people of each scene in one world, with the floor at y = 0.

    The worlds of scenes have nothing to do with each other.

    Args:
        people (list[PersonMotion]): Each within one scene.
        R_w2c (np.ndarray): Rotation of the camera (N, 3, 3) in any world.
        static (bool): Whether the camera stands still.
        cuts (list[int]): First frames of the scenes after the first.

    Returns:
        tuple[list[PersonMotion], np.ndarray]: The people, and the camera (N, 4, 4), in their world.
    """
    T_w2c = np.tile(np.eye(4), (len(R_w2c), 1, 1))
    T_w2c[:, :3, :3] = R_w2c  # Scenes without people.
    placed: list[PersonMotion] = []
    ends = [*cuts, len(R_w2c)]
    for start, end in zip([0, *cuts], ends):
        here = [person for person in people if start <= person.first_frame < end]
        if here:
            scene = torch.from_numpy(R_w2c[start:end])
            found = one_world.place_in_one_world(
                [_in_scene(person, start) for person in here], scene, static
            )
            T_w2c[start:end] = found.T_w2c.numpy()
            placed += [_placed(*pair) for pair in zip(here, found.placements)]
    return sorted(placed, key=lambda person: person.id), T_w2c


def _in_scene(person: PersonMotion, start: int) -> one_world.PersonMotion:
    orients = (person.global_orient_c, person.global_orient_w)
    R_c, R_w = (axis_angle_to_matrix(torch.from_numpy(value).double()) for value in orients)
    return one_world.PersonMotion(
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
    moved_there = moved(person, placement.R.numpy(), placement.shift.numpy())
    return replace(moved_there, notes=notes)
