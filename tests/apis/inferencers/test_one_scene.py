from dataclasses import replace

import numpy as np
import pytest

from gvhmr_da_mm.apis.inferencers.one_scene import place_people, scene_starts

from .test_known_facts import FRAMES, body, person  # noqa: F401

LENGTH = 5 * FRAMES


@pytest.fixture
def people(person):  # noqa: F811
    """Return two people of a scene, and one of the next."""
    places = ((0, 1, 0), (1, 4, 0), (2, 3 * FRAMES, 1))
    return [replace(person, id=i, first_frame=f, scene=s) for i, f, s in places]


@pytest.mark.parametrize(
    'cuts, expected', [([], 3 * FRAMES), ([20], 20), ([3, 20], 20), ([40], 3 * FRAMES)]
)
def test_scenes_begin_at_cuts_or_with_their_people(people, cuts, expected):
    assert scene_starts(people, cuts) == [0, expected]
    assert scene_starts(people[:2], cuts) == [0]


def test_each_scene_has_a_world(people):
    R_w2c = np.tile(np.eye(3), (LENGTH, 1, 1))
    placed, T_w2c = place_people(people, R_w2c, False, [0, 20])
    assert [p.id for p in placed] == [0, 1, 2] and T_w2c.shape == (LENGTH, 4, 4)
    alone, T_alone = place_people(people[2:], R_w2c, False, [0])
    np.testing.assert_allclose(placed[2].joints_w, alone[0].joints_w, atol=1e-5)
    for before, after in zip(people, placed):
        np.testing.assert_allclose(after.joints_c, before.joints_c, atol=1e-4)
    notes = [any('is a guess' in note for note in p.notes) for p in placed]
    assert notes == [False, False, False]


def test_people_who_never_meet(people):
    apart = [people[0], replace(people[2], scene=0)]
    placed, _ = place_people(apart, np.tile(np.eye(3), (LENGTH, 1, 1)), False, [0])
    assert sum(any('is a guess' in note for note in p.notes) for p in placed) == 1


def test_paths_that_differ_from_what_the_camera_sees_are_noted(people):
    first = people[0]
    towards = np.linspace(0, 4, FRAMES)[:, None] * np.array([0, 0, 1])
    same, other = (replace(first, id=1, transl_c=first.transl_c + far) for far in (0, towards))
    for second, noted in ((same, False), (other, True)):
        placed, _ = place_people([first, second], np.tile(np.eye(3), (LENGTH, 1, 1)), False, [0])
        notes = [note for p in placed for note in p.notes if ' m in the median frame' in note]
        assert bool(notes) == noted
