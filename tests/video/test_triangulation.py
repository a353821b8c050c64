"""Points and joints seen by several made-up cameras."""

import numpy as np

from gvhmr_da_mm.core.conventions import COCO_FLIP_INDEX
from gvhmr_da_mm.video.triangulation import triangulate, triangulate_joints
from tests.video.calibrated import make_joints, make_views


def exact(views, joints):
    """Return keypoints (V, F, 17, 3) without errors."""
    pixels = np.stack([view.project(joints)[0] for view in views])
    return np.concatenate((pixels, np.ones((*pixels.shape[:-1], 1))), axis=-1)


def test_points_are_found_though_one_view_is_wrong():
    views, joints = make_views(), make_joints()[0]
    pixels = exact(views, joints[None])[:, 0, :, :2]
    points, residual = triangulate(views, pixels, range(4))
    np.testing.assert_allclose(points, joints, atol=1e-6)
    assert residual.max() < 1e-6
    pixels[2] += 100
    points, residual = triangulate(views, pixels, range(4))
    np.testing.assert_allclose(points, joints, atol=0.02)
    assert residual[2].min() > 0.15


def test_views_of_little_confidence_count_little():
    views, joints = make_views(), make_joints(1)[0]
    pixels = exact(views, joints[None])[:, 0, :, :2]
    pixels[:2] += 20
    confidence = np.ones(pixels.shape[:2])
    confidence[:2] = 1e-4
    points, _ = triangulate(views, pixels, range(4), confidence)
    np.testing.assert_allclose(points, joints, atol=1e-3)


def test_joints_are_exact_where_the_views_are():
    views, joints = make_views(), make_joints(8)
    found = triangulate_joints(views, exact(views, joints))
    np.testing.assert_allclose(found.joints, joints, atol=1e-6)
    assert found.valid.all() and found.residual.max() < 1e-6


def test_a_wrong_and_an_exchanged_view_do_not_count():
    views, joints = make_views(), make_joints(8)
    keypoints = exact(views, joints)
    keypoints[1, :4, 9] += (200, 0, 0)
    keypoints[3, 5:] = keypoints[3, 5:][:, COCO_FLIP_INDEX]
    found = triangulate_joints(views, keypoints)
    # Eyes and ears are so close to each other that all views agree.
    np.testing.assert_allclose(found.joints[:, 5:], joints[:, 5:], atol=1e-6)
    assert found.valid.all()


def test_joints_that_fewer_than_three_views_agree_on_are_not_valid():
    views, joints = make_views(), make_joints(8)
    keypoints = exact(views, joints)
    keypoints[0, 2, 15] += (150, 0, 0)
    keypoints[1, 2, 15] -= (0, 150, 0)
    keypoints[2:, 6, :, 2] = 0
    valid = triangulate_joints(views, keypoints).valid
    assert not valid[2, 15] and not valid[6].any()
    valid[2, 15] = valid[6] = True
    assert valid.all()
