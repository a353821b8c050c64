import builtins
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gvhmr_da_mm.core.conventions import COCO_JOINT_NAMES
from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError
from gvhmr_da_mm.registry import TASK_UTILS
from gvhmr_da_mm.video.detectors import MediaPipePose
from gvhmr_da_mm.video.detectors.mediapipe_pose import LANDMARKS, silenced_native_errors


def test_landmarks_are_those_of_coco():
    pose = pytest.importorskip('mediapipe.python.solutions.pose', reason='the extra is not there')
    names = [pose.PoseLandmark(index).name.lower() for index in LANDMARKS]
    assert names == list(COCO_JOINT_NAMES)


def test_nobody_in_an_empty_picture():
    pytest.importorskip(
        'mediapipe.python.solutions.pose', reason='MediaPipe with its weights is missing'
    )
    with TASK_UTILS.build(dict(type='MediaPipePose')) as detector:
        assert len(detector(np.zeros((120, 160, 3), np.uint8), 0).boxes) == 0
        assert len(detector(None, 1).boxes) == 0


def test_it_warns_of_nothing_that_users_could_mend(capfd):
    pytest.importorskip(
        'mediapipe.python.solutions.pose', reason='MediaPipe with its weights is missing'
    )
    capfd.readouterr()
    for images in (2, 20):
        with TASK_UTILS.build(dict(type='MediaPipePose')) as detector:
            for number in range(images):
                detector(np.zeros((120, 160, 3), np.uint8), number)
        assert capfd.readouterr().err == ''
        os.write(2, b'heard again')
        assert capfd.readouterr().err == 'heard again'


def test_errors_of_python_are_not_silenced(capfd):
    with pytest.raises(RuntimeError, match='loud'), silenced_native_errors():
        os.write(2, b'native noise')
        raise RuntimeError('loud')
    os.write(2, b'heard again')
    assert capfd.readouterr().err == 'heard again'


class Landmark:
    def __init__(self, x, y, visibility=0.9, z=0.0):
        self.x, self.y, self.z, self.visibility = x, y, z, visibility


def world_landmarks():
    return [Landmark(i / 100, i / 50, z=i / 25) for i in range(33)]


class Pose:
    """MediaPipe result: landmark i at (i + 1) / 40 of the image; one is outside."""

    def __init__(self, **options):
        self.closed = False

    def process(self, image):
        landmarks = [Landmark((i + 1) / 40, (i + 1) / 40) for i in range(33)]
        landmarks[16] = Landmark(1.2, 0.5)
        if not image.any():
            return SimpleNamespace(pose_landmarks=None, pose_world_landmarks=None)
        return SimpleNamespace(
            pose_landmarks=SimpleNamespace(landmark=landmarks),
            pose_world_landmarks=SimpleNamespace(landmark=world_landmarks()),
        )

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
    assert detector._pose._pose.closed
    assert found.keypoints.shape == (1, 17, 3)
    np.testing.assert_allclose(found.keypoints[0, 5, :2], [400 * 12 / 40, 200 * 12 / 40])
    np.testing.assert_allclose(found.joints[0, 5], [0.11, 0.22, 0.44])
    right_wrist = COCO_JOINT_NAMES.index('right_wrist')
    assert found.keypoints[0, right_wrist, 2] == 0
    left, top, right, bottom = found.boxes[0]
    assert left < 10 and right > 330 and top < 5 and bottom > 165  # all 33 are inside


def test_the_number_of_people_is_checked(fake):
    with pytest.raises(ConfigError, match='`max_people` should be at least 1, got 0'):
        MediaPipePose(max_people=0)


def test_without_mediapipe_one_is_told_what_to_do(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith('mediapipe'):
            raise ImportError('No module named mediapipe')
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without)
    with pytest.raises(ConfigError, match='requirements/mediapipe.txt'):
        MediaPipePose()


class Landmarker:
    """Landmarker of the Tasks API: the value of the pixels is the number of people."""

    def __init__(self, options):
        self.options, self.times, self.closed = options, [], False

    def detect_for_video(self, image, time):
        self.times.append(time)
        people = [
            [Landmark((i + 1 + n) / 40, (i + 1) / 40) for i in range(33)]
            for n in range(image.data.max())
        ]
        return SimpleNamespace(
            pose_landmarks=people, pose_world_landmarks=[world_landmarks() for _ in people]
        )

    def close(self):
        self.closed = True


@pytest.fixture
def later(monkeypatch):
    """Install stand-ins for the modules of the Tasks API."""
    vision = SimpleNamespace(
        PoseLandmarker=SimpleNamespace(create_from_options=Landmarker),
        PoseLandmarkerOptions=SimpleNamespace,
        RunningMode=SimpleNamespace(VIDEO='video'),
    )
    python = SimpleNamespace(BaseOptions=SimpleNamespace, vision=vision)
    mediapipe = SimpleNamespace(
        Image=SimpleNamespace, ImageFormat=SimpleNamespace(SRGB=1), __version__='1.2.3'
    )
    monkeypatch.setitem(sys.modules, 'mediapipe', mediapipe)
    monkeypatch.setitem(sys.modules, 'mediapipe.tasks', SimpleNamespace(python=python))
    monkeypatch.setitem(sys.modules, 'mediapipe.tasks.python', python)
    monkeypatch.setitem(sys.modules, 'mediapipe.tasks.python.vision', vision)
    monkeypatch.setitem(sys.modules, 'mediapipe.python', None)
    monkeypatch.setattr(
        'gvhmr_da_mm.video.detectors.mediapipe_pose.import_mediapipe', lambda: mediapipe
    )


def test_later_generation(later, tmp_path):
    model = tmp_path / 'pose_landmarker_full.task'
    model.touch()
    with MediaPipePose(model=str(model), min_confidence=0.6) as detector:
        found = detector(np.ones((200, 400, 3), np.uint8), 0)
        assert len(detector(np.zeros((200, 400, 3), np.uint8), 1).boxes) == 0
        assert len(detector(None, 2).boxes) == 0
    landmarker = detector._pose._landmarker
    assert landmarker.closed and landmarker.times == [33, 66]
    assert landmarker.options.base_options.model_asset_path == str(model)
    assert landmarker.options.min_pose_detection_confidence == 0.6
    assert landmarker.options.num_poses == 1
    np.testing.assert_allclose(found.keypoints[0, 5, :2], [400 * 12 / 40, 200 * 12 / 40])
    np.testing.assert_allclose(found.joints[0, 5], [0.11, 0.22, 0.44])


def test_later_generation_finds_several_people(later, tmp_path):
    model = tmp_path / 'pose_landmarker_full.task'
    model.touch()
    with MediaPipePose(max_people=2, model=str(model)) as detector:
        assert detector._pose._landmarker.options.num_poses == 2
        found = detector(np.full((200, 400, 3), 2, np.uint8), 0)
    assert found.keypoints.shape == found.joints.shape == (2, 17, 3)
    np.testing.assert_allclose(found.keypoints[1, 5, :2], [400 * 13 / 40, 200 * 12 / 40])
    assert found.boxes[1, 0] > found.boxes[0, 0]


def test_later_generation_needs_a_model(later, tmp_path):
    with pytest.raises(ConfigError, match='1.2.3 has no model.*detector.model=FILE'):
        MediaPipePose()
    with pytest.raises(MissingFilesError, match='nothing.task.*pose_landmarker_full'):
        MediaPipePose(model=str(tmp_path / 'nothing.task'))
