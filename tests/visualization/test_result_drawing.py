"""Drawings of a result: the video, and the page."""

import json
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.structures import CameraMotion, MotionResult, PersonMotion
from gvhmr_da_mm.visualization import result_tracks, write_result_page, write_result_video
from gvhmr_da_mm.visualization.palette import BACKGROUND, PEOPLE, person_colour
from gvhmr_da_mm.visualization.viewpoint import with_viewpoint

from .conftest import CAMERA, FRAMES, HEIGHT, WIDTH

LENGTH = FRAMES + 20


@pytest.fixture
def result(make_sample, toy_root):
    """Return two people: one from the first frame, one from frame 20, 1 m to the side."""
    instances = make_sample(with_gt=False).pred_instances
    seen = np.arange(FRAMES) != 5
    fields = dict(seen=seen, confidence=np.full(FRAMES, 0.5))
    first = PersonMotion.from_prediction(instances, id=0, first_frame=0, **fields)
    second = replace(
        first,
        id=3,
        first_frame=20,
        joints_w=first.joints_w + (0, 0, -1),
        transl_w=first.transl_w + (0, 0, -1),
        transl_c=first.transl_c + (0, 0, 1),
    )
    K = np.array([[200.0, 0, WIDTH / 2], [0, 200, HEIGHT / 2], [0, 0, 1]])
    camera = CameraMotion(K, np.tile(CAMERA.numpy(), (LENGTH, 1, 1)), True)
    return MotionResult({0: first, 3: second}, (WIDTH, HEIGHT), LENGTH, camera, data_root=toy_root)


def test_tracks_cover_the_video(result):
    tracks = result_tracks(result)
    assert list(tracks) == [0, 3]
    for number, start in ((0, 0), (3, 20)):
        track, person = tracks[number], result.people[number]
        assert len(track) == LENGTH
        assert track.valid.nonzero()[0].tolist() == list(range(start, start + FRAMES))
        np.testing.assert_allclose(
            track.joints_w[start : start + FRAMES], person.joints_w, atol=1e-4
        )
        np.testing.assert_allclose(track.camera_centres, np.tile([0, 1, 4], (LENGTH, 1)), atol=1e-6)
        pelvis = track.mesh(np.array([start + 7]))[0].mean(axis=0)
        np.testing.assert_allclose(pelvis, track.joints_c[start + 7, 0], atol=0.5)


@pytest.mark.parametrize('height', [0, -5, 15, np.nan])
def test_the_height_of_a_video(result, tmp_path, height):
    with pytest.raises(ConfigError, match='`height` should be at least 16'):
        result.render(tmp_path / 'a.mp4', height=height)


def test_a_video_of_unknown_size(result, tmp_path):
    with pytest.raises(DataError, match='a.mp4 needs the size of the video'):
        replace(result, size=(0, 0)).render(tmp_path / 'a.mp4')


def read(path):
    capture, pictures = cv2.VideoCapture(str(path)), []
    while True:
        found, picture = capture.read()
        if not found:
            return np.array(pictures)
        pictures.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def coloured(picture, colour):
    """Return the number of pixels whose hue is that of a colour."""
    hues = [
        cv2.cvtColor(np.uint8(values).reshape(-1, 1, 3), cv2.COLOR_RGB2HSV)[:, 0].astype(int)
        for values in (picture, colour)
    ]
    near = np.abs(hues[0][:, 0] - hues[1][0, 0]) < 6
    return int((near & (hues[0][:, 1] > 90) & (hues[0][:, 2] > 60)).sum())


def test_the_video_shows_all_people_of_a_frame(result, tmp_path):
    (path,) = write_result_video(tmp_path / 'x.mp4', result, world_width=0, with_mesh=True)
    frames = read(path)
    assert frames.shape == (LENGTH, HEIGHT, WIDTH, 3)
    blue, pink = (coloured(frames[27], person_colour(number)) for number in (0, 3))
    assert blue > 100 and pink > 100
    assert coloured(frames[5], person_colour(3)) < 20 < 100 < coloured(frames[55], person_colour(3))
    # Paler where the person was not detected.
    seen, unseen = (frames[n].astype(int).max(axis=2).clip(60).sum() for n in (6, 5))
    assert unseen < seen


def test_frames_and_world(result, tmp_path):
    (path,) = result.save(
        tmp_path / 'x.mp4',
        frames=lambda frame: np.full((2 * HEIGHT, 2 * WIDTH, 3), (200, 20, 20), np.uint8),
        height=90,
        world_width=100,
        with_mesh=False,
    )
    frames = read(path)
    assert frames.shape == (LENGTH, 90, 220, 3)
    corner = frames[0, -5, 5].astype(int)
    assert corner[0] > 150 and corner[1:].max() < 70
    assert np.abs(frames[0, -3, -3].astype(int) - BACKGROUND).max() < 30


def test_the_page_has_all_people(result, tmp_path):
    (path,) = write_result_page(tmp_path / 'x.html', result)
    page = path.read_text(encoding='utf-8')
    content = json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', page, re.S)[1])
    assert [body['name'] for body in content['bodies']] == ['person 0', 'person 3']
    assert content['frames'] == LENGTH and content['meshes'] is True
    assert [tuple(body['colour']) for body in content['bodies']] == [PEOPLE[0], PEOPLE[3]]
    assert all(body['hasCamera'] for body in content['bodies'])
    with pytest.raises(DataError, match='there is no person'):
        replace(result, people={}).save(tmp_path / 'none.html')


def test_a_page_of_people_of_whom_no_camera_is_known(result, tmp_path):
    people = {
        number: replace(person, global_orient_c=None, transl_c=None)
        for number, person in result.people.items()
    }
    blind = replace(result, people=people, camera=None)
    (path,) = write_result_page(tmp_path / 'x.html', blind)
    page = path.read_text(encoding='utf-8')
    content = json.loads(re.search(r'<script[^>]*id="data"[^>]*>(.*?)</script>', page, re.S)[1])
    assert not any(body['hasCamera'] for body in content['bodies'])
    seen = with_viewpoint(blind)
    for number, person in seen.people.items():
        assert (person.joints_c[..., 2] > 1).all()
        np.testing.assert_allclose(person.joints_w, people[number].joints_w)
    T = [person.T_w2c for person in seen.people.values()]
    np.testing.assert_allclose(T[0], np.broadcast_to(T[1][:1], T[0].shape), atol=1e-4)
    assert with_viewpoint(result) is result
    people[0] = result.people[0]
    with pytest.raises(DataError, match='person 3 in the camera is unknown'):
        write_result_page(tmp_path / 'y.html', replace(blind, people=people))


def test_a_video_that_fails_leaves_no_file(result, tmp_path):
    def broken(frame):
        if frame == 3:
            raise RuntimeError('unplugged')

    with pytest.raises(RuntimeError, match='unplugged'):
        write_result_video(tmp_path / 'x.mp4', result, broken, with_mesh=False)
    assert not list(tmp_path.iterdir())
