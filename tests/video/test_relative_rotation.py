import numpy as np
import pytest

from gvhmr_da_mm.video.relative_rotation import fit_rotation, relative_rotation
from gvhmr_da_mm.video.visual_gyro import rotation_angle
from tests.video.scenes import K, rotation, two_views


def error_deg(found, truth):
    return np.degrees(rotation_angle(found.R_a2b @ truth.T))


@pytest.mark.parametrize('angles', [(0, 0, 0), (1, -2, 0.5), (0, 8, 0), (0, 0, 15), (-6, 5, 3)])
def test_a_turning_camera(angles):
    truth = rotation(*angles)
    before, after, wrong = two_views(truth, outliers=0.3)
    found = relative_rotation(before, after, K)
    assert found.model == ('rotation' if any(angles) else 'still')
    assert error_deg(found, truth) < 0.03
    assert not found.inliers[wrong].mean() > 0.1 and found.inliers[~wrong].mean() > 0.95
    assert found.error < 1


@pytest.mark.parametrize('shift', [(0.5, 0, 0), (0, 0.1, -0.6), (0.3, 0, 0.4)])
def test_a_camera_that_moves_too(shift):
    truth = rotation(1, 3, -1)
    before, after, _ = two_views(truth, shift, noise=0.1, outliers=0.1)
    found = relative_rotation(before, after, K)
    assert found.model == 'essential'
    assert error_deg(found, truth) < 0.5


def test_little_parallax_leaves_the_rotation():
    truth = rotation(0, 2, 0)
    before, after, _ = two_views(truth, (0.005, 0, 0))
    found = relative_rotation(before, after, K)
    assert found.model == 'rotation' and error_deg(found, truth) < 0.1


def test_a_crowd_does_not_move_a_camera_that_stands_still():
    before, after, _ = two_views(np.eye(3), points=200, noise=0.1)
    crowd = np.arange(200) < 120
    after[crowd] += np.linspace(2, 6, 120)[:, None] * [1, 0.2]
    found = relative_rotation(before, after, K)
    assert found.model == 'still' and (found.R_a2b == np.eye(3)).all()
    np.testing.assert_array_equal(found.inliers, ~crowd)


def test_too_few_points():
    before, after, _ = two_views(np.eye(3), points=7)
    assert relative_rotation(before, after, K) is None


def test_nothing_in_common():
    generator = np.random.default_rng(0)
    before, after = generator.uniform(0, 200, (2, 40, 2))
    found = relative_rotation(before, after, K)
    assert found is None or found.inlier_ratio < 0.5


def test_fitted_rotations_are_rotations():
    generator = np.random.default_rng(0)
    rays = generator.normal(size=(4, 2, 3))
    fitted = fit_rotation(rays, generator.normal(size=(4, 2, 3)))
    np.testing.assert_allclose(np.linalg.det(fitted), 1)
    truth = rotation(10, 20, 30)
    np.testing.assert_allclose(fit_rotation(rays, rays @ truth.T), np.tile(truth, (4, 1, 1)))
