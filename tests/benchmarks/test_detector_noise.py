"""What is injected into made-up views is what is measured."""

import numpy as np
import pytest

from benchmarks.noise.fit import fit, measure, table
from gvhmr_da_mm.codecs import DetectorNoise
from tests.video.calibrated import make_joints, make_views, see


def test_exchanged_sides_are_found_in_the_view_that_has_them():
    views, joints = make_views(), make_joints()
    keypoints = see(views, joints, DetectorNoise(swaps=dict(rate=0.0), cover_prob=0))
    order = [0, 2, 1, *(j + 1 if j % 2 else j - 1 for j in range(3, 17))]
    keypoints[1, 40:60] = keypoints[1, 40:60][:, order]
    exchanged = measure(views, keypoints).exchanged
    assert exchanged[1, 40:60, 5:].mean() > 0.85
    exchanged[1, 40:60] = False
    assert exchanged[..., 5:].mean() < 0.02


def test_the_fit_finds_what_was_injected():
    views, joints = make_views(), make_joints()
    # Without hidden joints, whose errors are in the reference of the other views too.
    noise = DetectorNoise(
        swaps=dict(rate=0.0), cover_prob=0, hidden_error=1, confidence=dict(hidden=0.0)
    )
    result = fit([measure(views, see(views, joints, noise, seed)) for seed in range(0, 40, 4)])
    np.testing.assert_allclose(result['error'], noise.error, rtol=0.25)
    np.testing.assert_allclose(result['bias'], noise.bias, rtol=0.5)
    np.testing.assert_allclose(result['confidence']['mean'], noise.confidence.mean, atol=0.7)
    assert result['error_frames'] == pytest.approx(noise.error_frames, rel=0.3)
    assert result['exchanged_share'] < 0.01
    assert 'wrists' in table(result)
