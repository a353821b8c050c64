import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.video.detectors import MMPosePose

WIDTH, HEIGHT = 160, 120


class Inferencer:
    """Stand-in for MMPose's inferencer."""

    answer = None

    def __init__(self, **options):
        self.options = options

    def __call__(self, image, **options):
        self.seen = image
        yield dict(predictions=[SimpleNamespace(pred_instances=self.answer)])


def instances(boxes, scores, joints=17):
    people = len(boxes)
    keypoints = np.arange(people * joints * 2, dtype=float).reshape(people, joints, 2)
    return SimpleNamespace(
        bboxes=np.array(boxes, float),
        bbox_scores=np.array(scores, float),
        keypoints=keypoints,
        keypoint_scores=np.full((people, joints), 1.1),
    )


@pytest.fixture
def build(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmdet', ModuleType('mmdet'))
    monkeypatch.setitem(sys.modules, 'mmdet.apis', ModuleType('mmdet.apis'))
    monkeypatch.setattr(
        'gvhmr_da_mm.video.detectors.mmpose_pose.import_mmpose',
        lambda name: SimpleNamespace(MMPoseInferencer=Inferencer),
    )

    def _build(answer, **options):
        monkeypatch.setattr(Inferencer, 'answer', answer)
        return MMPosePose(**options)

    return _build


def picture():
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[..., 0] = 255
    return image


def test_people_are_read(build):
    detector = build(instances([[1, 2, 30, 90], [5, 6, 70, 100]], [0.9, 0.6]), pose2d='my.py')
    found = detector(picture(), 0)
    np.testing.assert_array_equal(found.boxes, [[1, 2, 30, 90], [5, 6, 70, 100]])
    assert found.keypoints.shape == (2, 17, 3) and (found.keypoints[..., 2] == 1).all()
    assert detector._inferencer.options['pose2d'] == 'my.py'
    assert (detector._inferencer.seen[0, 0] == (0, 0, 255)).all(), 'MMPose reads BGR'
    assert len(detector(None, 1).boxes) == 0


def test_a_picture_without_people_is_not_a_person(build):
    whole = instances([[0, 0, WIDTH, HEIGHT]], [1.0])
    assert len(build(whole)(picture(), 0).boxes) == 0
    assert len(build(whole, det_model='whole_image')(picture(), 0).boxes) == 1
    close = instances([[0, 0, WIDTH, HEIGHT]], [0.97])
    assert len(build(close)(picture(), 0).boxes) == 1


def test_other_keypoints_are_refused(build):
    with pytest.raises(ConfigError, match='133'):
        build(instances([[1, 2, 3, 4]], [0.9], joints=133))(picture(), 0)


def test_without_mmdet_one_is_told_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmdet', None)
    with pytest.raises(ConfigError, match='full MMPose environment'):
        MMPosePose()
