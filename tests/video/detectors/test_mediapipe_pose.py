import builtins
import os

import numpy as np
import pytest

from gvhmr_da_mm.core.conventions import COCO_JOINT_NAMES
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.registry import TASK_UTILS
from gvhmr_da_mm.video.detectors import MediaPipePose
from gvhmr_da_mm.video.detectors.mediapipe_pose import LANDMARKS, silenced_native_errors


def test_landmarks_are_those_of_coco():
    pose = pytest.importorskip('mediapipe.python.solutions.pose', reason='the extra is not there')
    names = [pose.PoseLandmark(index).name.lower() for index in LANDMARKS]
    assert names == list(COCO_JOINT_NAMES)


def test_nobody_in_an_empty_picture():
    pytest.importorskip('mediapipe', reason='the extra is not there')
    with TASK_UTILS.build(dict(type='MediaPipePose')) as detector:
        assert len(detector(np.zeros((120, 160, 3), np.uint8), 0).boxes) == 0
        assert len(detector(None, 1).boxes) == 0


def test_it_warns_of_nothing_that_users_could_mend(capfd):
    pytest.importorskip('mediapipe', reason='the extra is not there')
    with TASK_UTILS.build(dict(type='MediaPipePose')) as detector:
        for number in range(2):
            detector(np.zeros((120, 160, 3), np.uint8), number)
    assert 'W0000' not in (err := capfd.readouterr().err) and 'WARNING' not in err


def test_errors_of_python_are_not_silenced(capfd):
    with pytest.raises(RuntimeError, match='loud'), silenced_native_errors():
        os.write(2, b'native noise')
        raise RuntimeError('loud')
    os.write(2, b'heard again')
    assert capfd.readouterr().err == 'heard again'


class Landmark:
    def __init__(self, x, y, visibility=0.9):
        self.x, self.y, self.visibility = x, y, visibility


class Pose:
    """What MediaPipe would find: landmark i at (i + 1) / 40 of the picture; one is outside."""

    def __init__(self, **options):
        self.closed = False

    def process(self, image):
        landmarks = [Landmark((i + 1) / 40, (i + 1) / 40) for i in range(33)]
        landmarks[16] = Landmark(1.2, 0.5)
        found = type('Landmarks', (), dict(landmark=landmarks)) if image.any() else None
        return type('Result', (), dict(pose_landmarks=found))

    def close(self):
        self.closed = True


@pytest.fixture
def fake(monkeypatch):
    solutions = type('S', (), dict(pose=type('P', (), dict(Pose=Pose))))
    monkeypatch.setattr(
        'gvhmr_da_mm.video.detectors.mediapipe_pose.import_mediapipe',
        lambda: type('M', (), dict(solutions=solutions)),
    )


def test_landmarks_become_keypoints_in_pixels(fake):
    with MediaPipePose() as detector:
        found = detector(np.ones((200, 400, 3), np.uint8), 0)
        assert len(detector(np.zeros((200, 400, 3), np.uint8), 1).boxes) == 0
    assert detector._pose.closed
    assert found.keypoints.shape == (1, 17, 3)
    np.testing.assert_allclose(found.keypoints[0, 5, :2], [400 * 12 / 40, 200 * 12 / 40])
    right_wrist = COCO_JOINT_NAMES.index('right_wrist')
    assert found.keypoints[0, right_wrist, 2] == 0
    left, top, right, bottom = found.boxes[0]
    assert left < 10 and right > 330 and top < 5 and bottom > 165  # all 33 are inside


def test_without_mediapipe_one_is_told_what_to_do(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith('mediapipe'):
            raise ImportError('No module named mediapipe')
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without)
    with pytest.raises(ConfigError, match='requirements/mediapipe.txt'):
        MediaPipePose()
