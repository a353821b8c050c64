from dataclasses import replace

import numpy as np
import pytest

from gvhmr_da_mm.visualization import WorldView, ground_truth_track, prediction_track
from gvhmr_da_mm.visualization.palette import CONTACT, GROUND_TRUTH, PREDICTION

SIZE = (480, 300)


def amount(image, colour, tolerance=12):
    return int((np.abs(image.astype(int) - np.array(colour)).max(axis=-1) < tolerance).sum())


@pytest.fixture
def tracks(make_sample):
    sample = make_sample()
    return prediction_track(sample), ground_truth_track(sample)


def test_up_is_up_and_all_bodies_are_in_the_picture(tracks):
    view = WorldView(*tracks, size=SIZE)
    pixels, depth = view.camera.project(tracks[0].joints_w)
    assert (depth > 0).all()
    assert (pixels > 0).all() and (pixels < SIZE).all()
    assert (pixels[:, 15, 1] < pixels[:, 0, 1]).all() and (pixels[:, 0, 1] < pixels[:, 7, 1]).all()


def test_view_is_not_mirrored(tracks):
    R = WorldView(*tracks, size=SIZE).camera.R
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(R) == pytest.approx(1)


def test_ground_is_at_the_feet(tracks):
    assert WorldView(tracks[0], size=SIZE).ground == pytest.approx(0.0, abs=0.02)


def test_both_tracks_and_contacts_are_drawn(tracks):
    image = WorldView(*tracks, size=SIZE).draw()
    assert image.shape == (300, 480, 3) and image.dtype == np.uint8
    alone = WorldView(tracks[0], size=SIZE).draw()
    assert amount(image, PREDICTION) > 50
    assert amount(image, GROUND_TRUTH) > amount(alone, GROUND_TRUTH) + 100
    without = WorldView(replace(tracks[0], contacts=None), size=SIZE).draw()
    assert amount(alone, CONTACT) > 20 > amount(without, CONTACT)


def test_moment_follows_the_walk(tracks):
    view = WorldView(tracks[0], size=SIZE)
    early, late = view.draw(2).astype(int), view.draw(37).astype(int)
    centres = []
    for image, frame in ((early, 2), (late, 37)):
        pelvis, _ = view.camera.project(tracks[0].joints_w[frame, 0])
        other = late if frame == 2 else early
        columns = np.nonzero(((image - other) > 60).any(axis=-1))[1]
        centres.append(pelvis[0])
        assert np.abs(columns - pelvis[0]).min() < 5
    assert abs(centres[1] - centres[0]) > 50


def test_drawing_twice_gives_the_same(tracks):
    view = WorldView(*tracks, size=SIZE)
    first = view.draw(10)
    view.draw(30)
    assert (view.draw(10) == first).all()


def test_far_camera_does_not_shrink_the_body(tracks):
    near = WorldView(tracks[0], size=SIZE)
    T = tracks[0].T_w2c.copy()
    T[:, 2, 3] += 500
    moved = replace(tracks[0], T_w2c=T, joints_c=tracks[0].joints_c + [0, 0, 500])
    far = WorldView(moved, size=SIZE)
    heights = []
    for view in (near, far):
        pixels, _ = view.camera.project(tracks[0].joints_w[20])
        heights.append(np.ptp(pixels[:, 1]))
    assert heights[1] > 0.8 * heights[0]


@pytest.mark.parametrize('span', [0.0, 30.0, 3000.0])
def test_any_extent_has_a_readable_grid(tracks, span):
    T = tracks[0].T_w2c.copy()
    T[:, 0, 3] -= np.linspace(0, span, len(T))
    image = WorldView(replace(tracks[0], T_w2c=T), size=SIZE).draw()
    assert amount(image, PREDICTION) > 5


def test_no_valid_frame(tracks):
    view = WorldView(replace(tracks[0], valid=np.zeros(40, bool)), size=SIZE)
    assert (view.draw() == view.draw(3)).all()
    assert view.draw().std() > 0  # it says so
