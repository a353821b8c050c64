from importlib.util import find_spec

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.video.detectors import Detections
from gvhmr_da_mm.video.person_tracks import choose_tracks, link_tracks

from .two_people import COLOURS, FRAMES, two_people


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


@pytest.mark.skipif(find_spec('mannequin') is None, reason='needs the mesh of the demo bodies')
@pytest.mark.parametrize('camera', ['static', 'pan'])
@pytest.mark.parametrize('colours', [COLOURS, COLOURS[:1] * 2], ids=['two', 'one'])
def test_people_who_pass_one_another_keep_their_tracks(camera, colours):
    scene = two_people(camera)
    frames, true = scene.detections(colours), scene.keypoints()
    hidden = [number for number, people in enumerate(frames) if len(people.boxes) < 2]
    assert 10 < len(hidden) < 25
    tracks = link_tracks(frames)
    assert [(track.start, len(track)) for track in tracks] == [(0, FRAMES)] * 2
    for track in tracks:
        person = np.abs(true[:, 0] - track.keypoints[0]).sum(axis=(1, 2)).argmin()
        np.testing.assert_array_equal(track.keypoints[track.seen], true[person, track.seen])
        missing = hidden if person == 1 else []
        np.testing.assert_array_equal(np.flatnonzero(~track.seen), missing)


def test_people_who_may_have_been_exchanged_are_cut():
    def meet(t, way):
        """Two equal people who meet, are hidden for 12 frames and go on or back."""
        if t < 30:
            return frame(person(100 + t), person(160 - t))
        if t < 42:
            return frame()
        return frame(person(130 - way * (t - 42) / 2), person(132 + way * (t - 42) / 2))

    tracks = link_tracks([meet(t, 1) for t in range(90)])
    assert [(track.start, len(track)) for track in tracks] == [(0, 30)] * 2 + [(42, 48)] * 2
    assert all('exchanged' in track.end for track in tracks[:2])
    assert not any(track.end for track in tracks[2:])


def test_scenes_are_numbered():
    frames = [frame(person(5)) for _ in range(40)]
    frames[10] = frames[10]._replace(new_scene=True)
    frames[20] = frames[20]._replace(maybe_new_scene=True)
    frames[30] = frame(person(200))._replace(maybe_new_scene=True)
    frames[31:] = [frame(person(200))] * 9
    tracks = link_tracks(frames)
    # The person stays at frame 20, which is a fast pan.
    assert [(track.start, track.scene) for track in tracks] == [(0, 0), (10, 1), (30, 2)]
    assert [track.end for track in tracks] == ['the scene changes'] * 2 + ['']
