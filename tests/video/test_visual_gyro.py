import numpy as np
import pytest

from gvhmr_da_mm.video.visual_gyro import VisualGyro, rotation_angle
from tests.video.scenes import HEIGHT, WIDTH, K, render, rotation, texture

FPS = 30


@pytest.fixture(scope='module')
def background():
    return texture()


def estimate(images, K, boxes=None):
    """Rotation estimated from images, given the boxes (P, 4) of people in each."""
    gyro = VisualGyro(K)
    for number, image in enumerate(images):
        gyro.add(image, None if boxes is None else boxes[number])
    return gyro.finish()


def errors_deg(found, truth):
    """Angles between estimated and true rotations relative to the first frame, degrees."""
    return np.degrees([rotation_angle(a @ (b @ truth[0].T).T) for a, b in zip(found.R_w2c, truth)])


@pytest.mark.parametrize('rate', [(0, 20, 0), (10, -15, 0), (0, 5, 25)], ids=str)
def test_rotation_of_a_rendered_pan(background, rate):
    frames = 24
    truth = [rotation(*(np.array(rate) * t / FPS)) for t in range(frames)]
    found = estimate([render(R, background) for R in truth], K)
    assert not found.static
    assert errors_deg(found, truth).max() * FPS / frames < 1  # degrees per second
    assert errors_deg(found, truth).max() < 0.3
    assert found.report['frames_lost'] == 0


def test_a_camera_on_a_tripod_is_exactly_still(background):
    generator = np.random.default_rng(0)
    still = render(np.eye(3), background).astype(float)
    images = [np.clip(still + generator.normal(0, 4, still.shape), 0, 255) for _ in range(10)]
    found = estimate([image.astype(np.uint8) for image in images], K)
    assert found.static and found.report['static']
    np.testing.assert_array_equal(found.R_w2c, np.tile(np.eye(3), (10, 1, 1)))


def with_person(image, t):
    """The image with a moving textured rectangle, and its box."""
    person = np.random.default_rng(1).integers(0, 256, (150, 120, 3), dtype=np.uint8)
    left = 10 + 6 * t
    image = image.copy()
    image[60:210, left : left + 120] = person
    return image, np.array([[left, 60.0, left + 120, 210]])


def test_people_are_left_out(background):
    pairs = [with_person(render(np.eye(3), background), t) for t in range(12)]
    images, boxes = zip(*pairs)
    assert estimate(images, K, boxes).static


# Half a degree is 3.5 pixels.
@pytest.mark.parametrize(
    'frames, degrees, static', [(2, 0.5, True), (2, 1, False), (40, 0.5, False)]
)
def test_what_covers_the_view_for_a_moment_does_not_turn_the_camera(
    background, frames, degrees, static
):
    still, turned = (render(rotation(0, angle, 0), background) for angle in (0, degrees))
    seen = np.hstack((turned[:, : WIDTH * 9 // 10], still[:, WIDTH * 9 // 10 :]))
    images = [still] * 10 + [seen] * frames + [still] * (50 - frames)
    assert estimate(images, K).static == static


def test_a_slow_pan_is_not_taken_for_a_tripod(background):
    truth = [rotation(0, 0.03 * t, 0) for t in range(30)]
    found = estimate([render(R, background) for R in truth], K)
    assert not found.static
    assert errors_deg(found, truth).max() < 0.1


def test_unreadable_and_featureless_frames_hold_the_rotation(background):
    truth = [rotation(0, 0.5 * t, 0) for t in range(6)]
    images = [render(R, background) for R in truth]
    images[2] = None
    images[4] = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    found = estimate(images, K)
    np.testing.assert_array_equal(found.R_w2c[2], found.R_w2c[1])
    assert np.degrees(rotation_angle(found.R_w2c[3])) == pytest.approx(1.5, abs=0.1)
    assert found.report['frames_lost'] >= 2


def test_large_pictures_are_resized(background):
    truth = [rotation(0, 0.6 * t, 0) for t in range(5)]
    gyro = VisualGyro(K, max_side=240)
    for R in truth:
        gyro.add(render(R, background))
    assert errors_deg(gyro.finish(), truth).max() < 0.1


def test_no_frame():
    assert estimate([], K).R_w2c.shape == (0, 3, 3)


def test_small_angles_are_exact():
    assert rotation_angle(rotation(0, 1e-6, 0)) == pytest.approx(np.radians(1e-6), rel=1e-6)
    assert rotation_angle(rotation(0, 0, 179)) == pytest.approx(np.radians(179))


def test_pictures_on_both_sides_of_a_cut_are_not_compared(background):
    images = [render(rotation(0, turn, 0), background) for turn in (0, 0, 8, 8)]
    gyro = VisualGyro(K)
    for number, image in enumerate(images):
        gyro.add(image, new_scene=number == 2)
    np.testing.assert_array_equal(gyro.finish().R_w2c[1:], np.tile(np.eye(3), (3, 1, 1)))
