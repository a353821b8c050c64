import numpy as np
import pytest

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.video.detectors import Detections
from gvhmr_da_mm.video.person_tracks import choose_tracks, link_tracks


def person(x, size=40.0):
    keypoints = np.full((17, 3), 0.9)
    keypoints[:, 0], keypoints[:, 1] = x + size / 2, 60
    return np.array([x, 20, x + size, 20 + 2 * size]), keypoints


def frame(*people):
    if not people:
        return Detections.none()
    boxes, keypoints = zip(*people)
    return Detections(np.stack(boxes), np.stack(keypoints))


def test_two_people_that_change_places_in_the_lists():
    frames = []
    for t in range(40):
        people = [person(10 + t), person(300 - t, 60)]
        frames.append(frame(*(people if t % 2 else people[::-1])))
    tracks = link_tracks(frames)
    assert [len(track) for track in tracks] == [40, 40]
    large, small = sorted(tracks, key=lambda track: -track.area)
    np.testing.assert_allclose(small.boxes[:, 0], 10 + np.arange(40))
    np.testing.assert_allclose(large.boxes[:, 0], 300 - np.arange(40))
    assert choose_tracks(tracks) == [large]
    assert len(choose_tracks(tracks, 'all')) == 2


def test_the_longest_need_not_be_the_largest():
    frames = [frame(person(10), *([person(200, 90)] if t < 31 else [])) for t in range(60)]
    tracks = link_tracks(frames)
    assert [len(choose_tracks(tracks, choice)[0]) for choice in ('largest', 'longest')] == [31, 60]


def test_gaps_are_interpolated_and_marked():
    frames = [frame() if 10 <= t < 15 else frame(person(2.0 * t)) for t in range(40)]
    (track,) = link_tracks(frames)
    np.testing.assert_allclose(track.boxes[:, 0], 2 * np.arange(40))
    np.testing.assert_array_equal(np.flatnonzero(~track.seen), range(10, 15))
    np.testing.assert_allclose(track.keypoints[:, 0, 0], 2 * np.arange(40) + 20)
    np.testing.assert_allclose(track.keypoints[..., 2], 0.9)


def test_after_a_long_gap_or_a_jump_it_is_somebody_else():
    gone = [frame() if 10 <= t < 50 else frame(person(5)) for t in range(90)]
    assert [(track.start, len(track)) for track in link_tracks(gone)] == [(0, 10), (50, 40)]
    jumps = [frame(person(5 if t < 40 else 200)) for t in range(90)]
    assert [(track.start, len(track)) for track in link_tracks(jumps)] == [(0, 40), (40, 50)]


def test_nobody_and_hardly_anybody():
    assert link_tracks([frame()] * 5) == []
    assert choose_tracks(link_tracks([frame(person(5))] * 29)) == []
    assert len(choose_tracks(link_tracks([frame(person(5))] * 29), min_frames=10)) == 1


def test_unknown_choice():
    with pytest.raises(ConfigError, match='largest'):
        choose_tracks([], 'tallest')
