import cv2
import numpy as np
import pytest

from gvhmr_da_mm.core.errors import ShapeError
from gvhmr_da_mm.video.person_crop import crop_person, mirror_box


def ramp(height=300, width=400):
    """An image whose red is x / 2 and green y / 2."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack((x / 2, y / 2, np.zeros_like(x)), axis=-1).round().astype(np.uint8)


def test_corners_of_the_crop_are_the_corners_of_the_box():
    crop = crop_person(ramp(), np.array([200.0, 150.0, 128.0]))
    assert crop.shape == (256, 256, 3) and crop.dtype == np.uint8
    for row, column in ((0, 0), (0, 255), (255, 0), (255, 255), (100, 40)):
        x = 200 + (column - 127.5) * 128 / 255
        y = 150 + (row - 127.5) * 128 / 255
        np.testing.assert_allclose(crop[row, column, :2], [x / 2, y / 2], atol=1)


def test_a_box_of_the_crops_size_copies_pixels():
    image = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    crop = crop_person(image, np.array([127.5 + 60, 127.5 + 20, 255.0]))
    np.testing.assert_array_equal(crop, image[20:276, 60:316])


def test_outside_of_the_picture_is_black():
    crop = crop_person(np.full((100, 100, 3), 200, np.uint8), np.array([0.0, 50.0, 100.0]))
    assert (crop[:, :124] == 0).all() and (crop[5:250, 132:] == 200).all()


def test_halving_the_video_moves_nothing():
    whole = crop_person(ramp(), np.array([200.0, 150.0, 128.0]))
    half = crop_person(ramp(), np.array([200.0, 150.0, 128.0]), image_scale=0.5)
    assert np.abs(whole.astype(int) - half.astype(int)).max() <= 2


def test_large_persons_are_blurred_before_they_shrink():
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1200, 3), dtype=np.uint8)
    box = np.array([600.0, 600.0, 1020.0])
    sigma = (1020 / 512 - 1) / 2
    blurred = cv2.GaussianBlur(noise, (5, 5), sigma)
    transform = np.array([[0.25, 0, -22.5], [0, 0.25, -22.5]])
    expected = cv2.warpAffine(blurred, transform, (256, 256))
    np.testing.assert_array_equal(crop_person(noise, box), expected)
    assert crop_person(noise, box).std() < crop_person(noise, np.array([600.0, 600, 560])).std()


@pytest.mark.parametrize('box', [[1, 2, 0], [1, 2, np.nan], [1, 2], [1, 2, -3]])
def test_boxes_that_are_none(box):
    with pytest.raises(ShapeError, match='bbx_xys'):
        crop_person(ramp(), np.array(box, dtype=float))


def test_mirrored_boxes():
    np.testing.assert_array_equal(mirror_box(np.array([[10.0, 5, 8]]), 100), [[90.0, 5, 8]])
