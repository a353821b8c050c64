import cv2
import numpy as np
import pytest

from gvhmr_da_mm.visualization.body_track import BodyTrack
from gvhmr_da_mm.visualization.comparison_video import ComparedPart, write_comparison_video

SIZE = (90, 120)


@pytest.fixture
def track():
    """Return a function that makes a track without a mesh at a depth."""

    def _track(depth):
        joints = np.random.default_rng(0).uniform(-0.5, 0.5, (5, 22, 3)) + (0, 0, depth)
        K = np.array([[100.0, 0, 60], [0, 100, 45], [0, 0, 1]])
        return BodyTrack(
            joints_c=joints,
            T_w2c=np.tile(np.eye(4), (5, 1, 1)),
            valid=np.ones(5, bool),
            K=np.broadcast_to(K, (5, 3, 3)),
        )

    return _track


def part(start, person, **tracks):
    return ComparedPart(start, person, np.full((5, 17, 3), 0.0), tracks)


def test_a_tile_for_each_prediction_of_the_frames_that_have_one(track, tmp_path):
    read = []

    def frames(number):
        read.append(number)
        return np.full((*SIZE, 3), 90, np.uint8)

    parts = [
        part(10, 0, before=track(3), after=track(4)),
        part(13, 1, before=track(5), after=track(6)),
        part(30, 0, before=track(3), after=track(4)),
    ]
    path = tmp_path / 'both.mp4'
    middle = write_comparison_video(path, parts, SIZE, frames)
    assert read == [*range(10, 18), *range(30, 35)]
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 13
    assert middle.shape[0] == 90 and middle.shape[1] == 2 * 120 + 6
    left, right = middle[:, :120].astype(int), middle[:, -120:].astype(int)
    assert (left[30:] != right[30:]).any(), 'they are different predictions'


def test_nothing_to_draw(tmp_path):
    assert write_comparison_video(tmp_path / 'none.mp4', [], SIZE) is None
    assert not (tmp_path / 'none.mp4').exists()
