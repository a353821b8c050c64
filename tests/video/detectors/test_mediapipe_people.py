"""MediaPipe's own networks on rendered people who walk past one another."""

from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from gvhmr_da_mm.video.detectors import build_detector
from gvhmr_da_mm.video.detectors.mediapipe_people import MediaPipePeople, _Region
from gvhmr_da_mm.video.person_tracks import link_tracks
from tests.video.two_people import IMG_WH, two_people

SKIN, BLUE = (220, 170, 140), (60, 90, 200)
SCALE = 2
PERSON_HEIGHT = 140 * SCALE


def test_regions_are_upright_around_the_person():
    region = _Region.of_circle(np.array([50.0, 60]), np.array([50.0, 20]))
    assert (region.side, region.turn) == (100, 0)
    lying = _Region.of_circle(np.array([50.0, 60]), np.array([90.0, 60]))
    assert lying.turn == pytest.approx(np.pi / 2)
    assert region.is_of(lying)
    assert not region.is_of(region._replace(centre=np.array([80.0, 60])))


@pytest.mark.skipif(find_spec('mannequin') is None, reason='needs the mesh of the demo bodies')
def test_both_are_found_and_followed_through_the_crossing():
    pytest.importorskip(
        'mediapipe.python.solutions.pose', reason='MediaPipe with its weights is missing'
    )
    scene = two_people()
    pictures = [cv2.resize(p, None, fx=SCALE, fy=SCALE) for p in scene.pictures((SKIN, BLUE))]
    with build_detector('mediapipe', None, '', IMG_WH, everybody=True) as detector:
        frames = [detector(picture, number) for number, picture in enumerate(pictures)]
        assert len(detector(None, 0).boxes) == 0
    both = [track for track in link_tracks(frames) if track.seen.sum() > 20]
    followed = []
    for track in both:
        true = SCALE * scene.keypoints()[:, track.start : track.start + len(track), 5:, :2]
        errors = np.linalg.norm(true - track.keypoints[:, 5:, :2], axis=-1)[:, track.seen]
        followed.append(int(np.median(errors, axis=(1, 2)).argmin()))
        # The same person before and after, and at every time; the farther one is hidden meanwhile.
        assert np.median(errors[followed[-1]], axis=1).max() < 0.2 * PERSON_HEIGHT
        assert len(track) > 90 and track.seen.sum() > 70
    assert sorted(followed) == [0, 1]


@pytest.mark.parametrize('size', [(426, 240), (240, 426), (300, 300), (100, 900)])
def test_squares_cover_the_image(size):
    squares = MediaPipePeople._squares(np.array(size))
    assert len(squares) == {426: 3, 300: 0, 900: 17}[max(size)]
    covered = np.zeros(size[::-1], int)
    for x, y, width, height in squares:
        assert width == height == min(size)
        covered[y : y + height, x : x + width] += 1
    assert not squares or covered.shape == size[::-1] and covered.min() > 0
