import numpy as np
import pytest

from gvhmr_da_mm.video.person_tracks import PersonTrack
from gvhmr_da_mm.video.torso_size import MAX_TORSO_CHANGE, TORSO, no_person, torso_change

FRAMES = 60
AT_30_FPS = np.arange(200) / 30
STANDING = np.random.default_rng(1).uniform(0, 100, (17, 2))


def track(points, scores=0.9, start=0, seen=True):
    """Return a track of keypoints (F, 17, 2), pixels."""
    scores = np.broadcast_to(scores, points.shape[:2])[..., None]
    keypoints = np.concatenate((points, scores), axis=-1)
    boxes = np.tile([0.0, 0, 100, 100], (len(points), 1))
    return PersonTrack(start, boxes, keypoints, np.broadcast_to(seen, len(points)).copy())


def walker(pixels_of_noise=1.0):
    """Return a person who comes nearer, to twice the size, with the noise of a detector."""
    rng = np.random.default_rng(0)
    scale = np.linspace(1, 2, FRAMES)[:, None, None]
    return STANDING * scale + pixels_of_noise * rng.standard_normal((FRAMES, 17, 2))


def thing():
    """Return a thing that a detector takes for a person: every frame is another guess."""
    return np.random.default_rng(0).uniform(0, 100, (FRAMES, 17, 2))


def test_a_person_keeps_the_size_of_the_torso_and_a_thing_does_not():
    assert 0 < torso_change(track(walker())) < MAX_TORSO_CHANGE / 3
    assert no_person(track(walker()), AT_30_FPS) == ''
    assert torso_change(track(thing())) > MAX_TORSO_CHANGE * 1.5
    assert 'from frame to frame' in no_person(track(thing()), AT_30_FPS)


def test_the_size_is_no_matter_of_the_resolution_nor_of_exchanged_sides():
    points = walker()
    expected = torso_change(track(points))
    assert torso_change(track(points / 7)) == pytest.approx(expected)
    exchanged = points.copy()
    exchanged[::2, TORSO] = points[::2][:, [TORSO[i] for i in (1, 0, 3, 2)]]
    assert torso_change(track(exchanged)) == pytest.approx(expected)


def test_what_is_not_seen_is_not_judged():
    unsure = np.full((FRAMES, 17), 0.9)
    unsure[:, TORSO[2]] = 0.4
    assert torso_change(track(thing(), unsure)) is None
    assert torso_change(track(thing(), seen=np.arange(FRAMES) % 2 == 0)) is None
    assert torso_change(track(thing()[:8])) is None
    assert torso_change(track(np.zeros((FRAMES, 17, 2)))) is None


def test_pictures_with_long_times_between_them_are_not_judged():
    assert no_person(track(thing()), np.arange(200) / 10) != ''
    assert no_person(track(thing()), np.arange(200) / 8) == ''
    late = np.concatenate((np.arange(100) / 30, 10 + np.arange(100) / 8))
    assert no_person(track(thing(), start=0), late) != ''
    assert no_person(track(thing(), start=120), late) == ''
