import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.video.detectors import KeypointFile, boxes_around


def keypoints(*leading):
    kp2d = np.random.default_rng(0).uniform(50, 150, (*leading, 17, 3))
    kp2d[..., 2] = 0.8
    return kp2d


def test_one_and_two_people(tmp_path):
    path = tmp_path / 'k.npz'
    np.savez(path, kp2d=keypoints(5))
    found = KeypointFile(path, 5)(None, 3)
    np.testing.assert_array_equal(found.keypoints, keypoints(5)[3:4])
    np.savez(path, kp2d=keypoints(2, 5))
    assert KeypointFile(path, 5)(None, 0).boxes.shape == (2, 4)


def test_frames_without_anybody(tmp_path):
    kp2d = keypoints(3)
    kp2d[0] = np.nan
    kp2d[1, :, 2] = 0.1
    np.savez(tmp_path / 'k.npz', kp2d=kp2d)
    file = KeypointFile(tmp_path / 'k.npz', 3)
    assert [len(file(None, t).boxes) for t in range(3)] == [0, 0, 1]


def test_boxes_hold_the_confident_keypoints():
    kp2d = keypoints(1)
    kp2d[0, 0] = (1000, 1000, 0.1)
    boxes, found = boxes_around(kp2d)
    low, high = kp2d[0, 1:, :2].min(0), kp2d[0, 1:, :2].max(0)
    margin = 0.08 * (high - low).max()
    np.testing.assert_allclose(boxes[0], [*(low - margin), *(high + margin)])
    assert found.all()


@pytest.mark.parametrize(
    'content, said',
    [
        (dict(kp2d=keypoints(4)), '4 frames, but 5'),
        (dict(kp2d=np.zeros((5, 133, 3))), r'\(5, 133, 3\)'),
        (dict(points=keypoints(5)), 'kp2d'),
    ],
)
def test_other_files(tmp_path, content, said):
    np.savez(tmp_path / 'k.npz', **content)
    with pytest.raises(DataError, match=said):
        KeypointFile(tmp_path / 'k.npz', 5)


def test_no_file(tmp_path):
    with pytest.raises(MissingFilesError):
        KeypointFile(tmp_path / 'k.npz', 5)
    (tmp_path / 'k.npz').write_text('x')
    with pytest.raises(DataError):
        KeypointFile(tmp_path / 'k.npz', 5)
