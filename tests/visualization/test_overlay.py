import numpy as np
import pytest

from gvhmr_da_mm.core.conventions import BODY_JOINT_NAMES
from gvhmr_da_mm.visualization import draw_tile, ground_truth_track, prediction_track
from gvhmr_da_mm.visualization.overlay import draw_box, draw_keypoints, draw_skeleton
from gvhmr_da_mm.visualization.palette import BACKGROUND, DETECTION, LEFT, RIGHT
from gvhmr_da_mm.visualization.window import Window

IMG_SHAPE = (120, 160)
WINDOW = Window.whole(IMG_SHAPE, 480)
K = np.array([[200.0, 0, 80], [0, 200, 60], [0, 0, 1]])


def close_to(image, colour, tolerance=40):
    return np.abs(image.astype(int) - np.array(colour)).max(axis=-1) < tolerance


def test_sides_have_their_colours_and_heads_are_up(make_sample):
    joints = prediction_track(make_sample()).joints_c[20]
    image = np.zeros((480, 640, 3), np.uint8)
    camera = WINDOW.camera(K)
    draw_skeleton(image, joints, camera, thickness=3)
    pixels, _ = camera.project(joints)
    elbow = {side: pixels[BODY_JOINT_NAMES.index(f'{side}_elbow')] for side in ('left', 'right')}
    for side, colour in (('left', LEFT), ('right', RIGHT)):
        wrist = pixels[BODY_JOINT_NAMES.index(f'{side}_wrist')]
        x, y = ((elbow[side] + wrist) / 2).astype(int)
        assert close_to(image[y - 2 : y + 3, x - 2 : x + 3], colour).any(), side
    # The person faces the camera: the left hand is on the right of the picture.
    assert elbow['left'][0] > elbow['right'][0]
    rows = np.nonzero(image.any(axis=(1, 2)))[0]
    head, foot = pixels[BODY_JOINT_NAMES.index('head'), 1], pixels[10, 1]
    assert head < foot
    assert abs(rows.min() - head) < 6 and abs(rows.max() - foot) < 6


def test_joints_behind_the_camera_are_left_out(make_sample):
    joints = prediction_track(make_sample()).joints_c[20] - [0, 0, 10]
    image = np.zeros((480, 640, 3), np.uint8)
    draw_skeleton(image, joints, WINDOW.camera(K))
    draw_skeleton(image, joints * np.nan, WINDOW.camera(K))
    assert not image.any()


def test_weak_keypoints_are_left_out():
    keypoints = np.zeros((17, 3))
    keypoints[0] = 40, 50, 0.9
    keypoints[1] = 90, 50, 0.1
    image = np.zeros((100, 120, 3), np.uint8)
    draw_keypoints(image, keypoints)
    assert close_to(image[50, 40], DETECTION)
    assert not image[:, 70:].any()


def test_box_is_around_its_centre():
    image = np.zeros((100, 120, 3), np.uint8)
    draw_box(image, np.array([60.0, 50.0]), 40.0)
    rows, columns = np.nonzero(image.any(axis=-1))
    assert (rows.min(), rows.max()) == pytest.approx((30, 70), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx((40, 80), abs=1)
    assert not image[40:60, 50:70].any()


@pytest.mark.parametrize('scale', [0.25, 1, 3])
def test_window_moves_pictures_as_it_moves_points(scale):
    picture = np.zeros((*IMG_SHAPE, 3), np.uint8)
    picture[64:72, 96:104] = 255
    window = Window(
        left=50.0, top=30.0, scale=scale, width=round(90 * scale), height=round(80 * scale)
    )
    canvas = window.canvas(IMG_SHAPE, picture)
    rows, columns = np.nonzero(canvas[..., 0] > 127)
    x, y = window.pixels(np.array([100.0, 68.0]))
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((x, y), abs=0.75)
    pixels, _ = window.camera(K).project_camera(np.array([0.1, 0.04, 1.0]))
    np.testing.assert_allclose(pixels, [x, y])


def test_picture_of_another_resolution_fills_the_same_place():
    small = np.full((60, 80, 3), 200, np.uint8)
    canvas = Window(-16.0, -12.0, 1.0, 192, 144).canvas(IMG_SHAPE, small)
    assert (canvas[20:120, 30:160] == 200).all()
    assert (canvas[:8] == BACKGROUND).all() and (canvas[:, :10] == BACKGROUND).all()


def test_tile_shows_text_and_body_on_the_picture(make_sample):
    track = prediction_track(make_sample(), K=K)
    white = np.full((*IMG_SHAPE, 3), 255, np.uint8)
    plain = draw_tile(track, 20, WINDOW, IMG_SHAPE, white)
    texted = draw_tile(track, 20, WINDOW, IMG_SHAPE, white, lines=['error 12 mm'])
    changed = np.nonzero((plain != texted).any(axis=-1))
    assert changed[0].max() < 40 and changed[1].max() < 200
    assert 0.005 < (plain != 255).any(axis=-1).mean() < 0.2


def test_invalid_frame_says_so_instead_of_drawing(make_sample):
    track = ground_truth_track(make_sample(), K=K)
    tiles = [draw_tile(track, frame, WINDOW, IMG_SHAPE, is_prediction=False) for frame in (3, 20)]
    assert not close_to(tiles[0], LEFT).any()
    assert close_to(tiles[1], LEFT).any()


def test_true_intrinsics_put_the_label_on_the_detections(fixtures_root):
    """The mesh of a label covers the detected keypoints."""
    import torch

    from gvhmr_da_mm.datasets import EMDBDataset
    from gvhmr_da_mm.visualization.rasterizer import draw_mesh

    dataset = EMDBDataset(fixtures_root, split='emdb2', intrinsics='true', test_mode=True)
    item = dataset[0]
    inputs = {name: value.numpy() for name, value in item['inputs'].items()}
    track = ground_truth_track(
        item['data_samples'], fixtures_root, True, torch.from_numpy(inputs['K_fullimg'])
    )
    frame = int(np.flatnonzero(track.valid)[len(track) // 3])
    shape = item['data_samples'].img_shape
    window = Window.whole(shape, 480)
    image = np.zeros((window.height, window.width, 3), np.uint8)
    vertices = track.mesh(np.array([frame]))[0]
    draw_mesh(image, vertices, track.faces, window.camera(track.K[frame]), (255, 255, 255))
    keypoints = inputs['kp2d'][frame]
    seen = window.pixels(keypoints[keypoints[:, 2] > 0.5, :2]).astype(int)
    inside = (seen >= 0).all(1) & (seen < [window.width, window.height]).all(1)
    covered = [image[max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5].any() for x, y in seen[inside]]
    assert len(covered) > 6 and np.mean(covered) > 0.8
