import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.registry import TASK_UTILS
from gvhmr_da_mm.video.detectors import build_detector, check_detector
from tests.video.detectors.onnx_file import write_constant_network

WIDTH, HEIGHT = 200, 100
needs_rtmlib = pytest.mark.skipif(
    not (find_spec('rtmlib') and find_spec('onnxruntime')), reason='rtmlib is not installed'
)


class Network:
    """A network of rtmlib: the value of the pixels is the number of people."""

    def __init__(self, onnx_model, backend, device, score_thr=None):
        if 'http' in onnx_model:
            raise OSError('no way out')
        print('load')
        self.file, self.options = onnx_model, (backend, device, score_thr)
        self.session = SimpleNamespace(
            get_inputs=lambda: [SimpleNamespace(shape=['batch', 3, 256, 192])]
        )


class RTMO(Network):
    def __call__(self, image):
        count = max(int(image.max()), 1)
        points = np.random.default_rng(0).uniform(10, 60, (count, 17, 2))
        scores = np.full((count, 17), 1.02 if image.any() else 0.0)
        return points[:, : 3 if 'three' in self.file else 17], scores


class YOLOX(Network):
    def __call__(self, image):
        return np.array([[5.0, 6, 50, 90]] * int(image.max())) if image.any() else np.array([])


class RTMPose(Network):
    def __call__(self, image, boxes):
        return np.tile(np.asarray(boxes)[:, None, :2], (1, 17, 1)), np.full((len(boxes), 17), 0.8)


@pytest.fixture
def fake(monkeypatch):
    rtmlib = SimpleNamespace(RTMO=RTMO, YOLOX=YOLOX, RTMPose=RTMPose)
    monkeypatch.setitem(sys.modules, 'rtmlib', rtmlib)
    monkeypatch.setitem(sys.modules, 'onnxruntime', SimpleNamespace())


def build(**options):
    return build_detector('rtmlib', options, 'clip', (WIDTH, HEIGHT))


def picture(people):
    return np.full((HEIGHT, WIDTH, 3), people, np.uint8)


def test_people_of_rtmo(fake, capsys):
    with build(pose='rtmo.onnx', min_score=0.4, device='cuda') as detector:
        assert detector._pose.options == ('onnxruntime', 'cuda', 0.4)
        assert detector._pose.model_input_size == (256, 192)
        found = detector(picture(2), 0)
        assert len(detector(picture(0), 1).boxes) == len(detector(None, 2).boxes) == 0
    assert found.keypoints.shape == (2, 17, 3) and found.keypoints[..., 2].max() == 1
    assert (found.boxes[:, None, :2] < found.keypoints[..., :2]).all()
    assert capsys.readouterr().out == ''


def test_people_of_a_detector_and_rtmpose(fake):
    with build(pose='rtmpose.onnx', det='yolox.onnx') as detector:
        assert detector._pose.model_input_size == (192, 256)
        found = detector(picture(3), 0)
        assert len(detector(picture(0), 1).boxes) == 0
    np.testing.assert_array_equal(found.boxes, [[5, 6, 50, 90]] * 3)
    np.testing.assert_array_equal(found.keypoints[2, 16], [5, 6, 0.8])


def test_other_keypoints_are_refused(fake):
    with build(pose='three.onnx') as detector, pytest.raises(DataError, match='17 keypoints'):
        detector(picture(1), 0)


def test_weights_that_cannot_be_had_are_named(fake):
    with pytest.raises(ConfigError, match=r'`pose`.*no way out.*detector.pose=FILE.onnx'):
        build()
    with pytest.raises(ConfigError, match=r'`det`.*https://x/y.zip'):
        build(pose='rtmpose.onnx', det='https://x/y.zip')


def test_without_rtmlib_the_error_tells_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, 'rtmlib', None)
    monkeypatch.setitem(sys.modules, 'onnxruntime', SimpleNamespace())
    for attempt in (lambda: check_detector('rtmlib'), build):
        with pytest.raises(ConfigError, match='--no-deps -r requirements/rtmlib.txt'):
            attempt()


@needs_rtmlib
def test_rtmlib_itself_runs_a_network_of_two_people(tmp_path):
    boxes = np.array([[[32, 32, 96, 160, 0.9], [128, 32, 190, 160, 0.8], [0, 0, 9, 9, 0.1]]])
    keypoints = np.random.default_rng(0).uniform(40, 90, (1, 3, 17, 3))
    keypoints[..., 2] = 0.7
    file = write_constant_network(tmp_path / 'rtmo.onnx', (192, 320), boxes, keypoints)
    detector = TASK_UTILS.build(dict(type='RTMLibPose', pose=str(file)))
    found = detector(picture(9), 0)
    # The picture is enlarged by 1.6 to fill the input.
    np.testing.assert_allclose(found.keypoints[..., :2], keypoints[0, :2, :, :2] / 1.6, atol=1e-4)
    np.testing.assert_allclose(found.keypoints[..., 2], 0.7, atol=1e-6)
    file.write_bytes(b'no network')
    with pytest.raises(ConfigError, match='rtmo.onnx'):
        TASK_UTILS.build(dict(type='RTMLibPose', pose=str(file)))
