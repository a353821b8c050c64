import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.video.detectors import KeypointFile, boxes_around

SIZE = (200, 160)


def keypoints(*leading):
    kp2d = np.random.default_rng(0).uniform(50, 150, (*leading, 17, 3))
    kp2d[..., 2] = 0.8
    return kp2d


def test_one_and_two_people(tmp_path):
    path = tmp_path / 'k.npz'
    np.savez(path, kp2d=keypoints(5))
    found = KeypointFile(path, SIZE)(None, 3)
    np.testing.assert_array_equal(found.keypoints, keypoints(5)[3:4])
    np.savez(path, kp2d=keypoints(2, 5))
    assert KeypointFile(path, SIZE)(None, 0).boxes.shape == (2, 4)


def test_frames_without_anybody(tmp_path):
    kp2d = keypoints(3)
    kp2d[0] = np.nan
    kp2d[1, :, 2] = 0.1
    np.savez(tmp_path / 'k.npz', kp2d=kp2d)
    file = KeypointFile(tmp_path / 'k.npz', SIZE)
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
        (dict(kp2d=np.zeros((5, 133, 3))), r'\(5, 133, 3\)'),
        (dict(points=keypoints(5)), 'kp2d'),
    ],
)
def test_other_files(tmp_path, content, said):
    np.savez(tmp_path / 'k.npz', **content)
    with pytest.raises(DataError, match=said):
        KeypointFile(tmp_path / 'k.npz', SIZE)


def test_keypoints_of_fewer_frames_than_the_video_has(tmp_path):
    np.savez(tmp_path / 'k.npz', kp2d=keypoints(4))
    file = KeypointFile(tmp_path / 'k.npz', SIZE)
    file.check_length(4)
    assert len(file(None, 4).boxes) == 0
    with pytest.raises(DataError, match='k.npz has keypoints of 4 frames, but 5'):
        file.check_length(5)


def test_no_file(tmp_path):
    with pytest.raises(MissingFilesError):
        KeypointFile(tmp_path / 'k.npz', SIZE)
    (tmp_path / 'k.npz').write_text('x')
    with pytest.raises(DataError):
        KeypointFile(tmp_path / 'k.npz', SIZE)


def changed(scale=1.0, confidence=0.8):
    kp2d = keypoints(5)
    kp2d[..., :2] *= scale
    kp2d[..., 2] = confidence
    return kp2d


@pytest.mark.parametrize(
    'kp2d, said',
    [
        (changed(1 / 160), 'pixels of a picture of 200 x 160, but none is beyond 0.9'),
        (changed(confidence=80.0), 'confidences should be from 0 to 1, got 0 to 80'),
        (changed(confidence=-0.5), 'from 0 to 1, got -0.5'),
        (changed(4.0), r'only \d+ % of the confident keypoints are inside .* 200 x 160'),
    ],
)
def test_values_of_another_video_or_in_other_units(tmp_path, kp2d, said):
    np.savez(tmp_path / 'k.npz', kp2d=kp2d)
    with pytest.raises(DataError, match=said):
        KeypointFile(tmp_path / 'k.npz', SIZE)


def test_values_that_are_only_unusual(tmp_path):
    # Networks exceed 1 by a little, guess beyond the border, and are unsure where nobody is.
    kp2d = keypoints(5)
    kp2d[..., 2] = 1.005
    kp2d[:, :5, 0] += 200
    kp2d[4, :, :2], kp2d[4, :, 2] = 0.01, 0.05
    np.savez(tmp_path / 'k.npz', kp2d=kp2d)
    assert len(KeypointFile(tmp_path / 'k.npz', SIZE)(None, 0).boxes) == 1
