"""Correction by the trajectory in a static camera: analytic cases and properties."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import ShapeError
from gvhmr_da_mm.core.postprocess import correct_static_camera
from gvhmr_da_mm.core.postprocess.static_camera import MAX_PULL, TOLERATED_GAP, _pull
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from tests.core.postprocess.figure import Figure, make_figure

NEVER = -20.0


def view(figure, seed=1):
    """Return root orientation and translation in a static camera, and the pelvis at rest."""
    rng = torch.Generator().manual_seed(seed)
    R_w2c = axis_angle_to_matrix(torch.randn(len(figure.R_w), 1, 3, generator=rng).double())
    offset = figure.skeleton[:, :, 0]
    pelvis_c = (figure.transl_w + offset) @ R_w2c.mT[:, 0] + torch.tensor([0.3, 0.1, 4.0])
    return pelvis_c - offset, R_w2c @ figure.R_w, offset


def correct(figure, seen, valid=None, compat='correct'):
    transl_c, R_c, offset = seen
    return correct_static_camera(
        figure.transl_w, figure.joints_w, figure.R_w, transl_c, R_c, offset, figure.static_logits,
        valid, compat,
    )  # fmt: skip


def cut(values, clips, frames):
    parts = [x[clips, :frames] for x in values]
    return Figure(*parts) if isinstance(values, Figure) else parts


def test_a_trajectory_that_agrees_with_the_camera_stays():
    figure = make_figure(2, 60)
    figure = figure._replace(static_logits=torch.full((2, 60, 6), NEVER).double())
    trajectory = correct(figure, view(figure))
    # No gap of 0.25 m and nothing static: only the height may change, by a constant.
    shift = trajectory - figure.transl_w
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift))
    torch.testing.assert_close(shift[..., [0, 2]], torch.zeros_like(shift[..., [0, 2]]))
    published = correct(figure, view(figure), compat='published') - figure.transl_w
    lowest = (figure.joints_w + published[:, :, None])[..., 1].amin((1, 2))
    torch.testing.assert_close(lowest, torch.zeros_like(lowest))


def test_drift_is_pulled_back_to_the_tolerated_gap():
    true = make_figure(1, 200, moving=False)
    true = true._replace(static_logits=torch.full((1, 200, 6), NEVER).double())
    drift = torch.zeros(200, 3, dtype=torch.float64)
    drift[:, 0] = 0.01 * torch.arange(200)
    trajectory = correct(true._replace(transl_w=true.transl_w + drift), view(true))
    error = (trajectory - true.transl_w)[0, :, 0]
    assert drift[-1, 0] > 1.9
    assert error.abs().max() < TOLERATED_GAP + 0.011
    assert error.diff().abs().max() <= MAX_PULL


def test_static_joints_hold_the_root_horizontally():
    still = make_figure(1, 30, moving=False)
    still = still._replace(static_logits=torch.full((1, 30, 6), 3.0).double())
    seen = view(still)
    drift = 0.005 * torch.arange(30, dtype=torch.float64)[:, None] * torch.tensor([1.0, 1.0, 1.0])
    trajectory = correct(still._replace(transl_w=still.transl_w + drift), seen)
    torch.testing.assert_close(trajectory[..., [0, 2]], still.transl_w[..., [0, 2]])
    assert trajectory[0, -1, 1] - trajectory[0, 0, 1] == pytest.approx(drift[-1, 1].item())


def test_the_scan_follows_its_definition():
    rng = np.random.default_rng(0)
    gap = rng.normal(size=(2, 50, 3)).cumsum(axis=1) * 0.1
    expected = np.zeros_like(gap)
    for clip, axis in np.ndindex(2, 3):
        moved = 0.0
        for frame in range(50):
            rest = gap[clip, frame, axis] - moved
            if abs(rest) >= TOLERATED_GAP:
                moved += min(max(rest, -MAX_PULL), MAX_PULL)
            expected[clip, frame, axis] = moved
    np.testing.assert_allclose(_pull(torch.from_numpy(gap)).numpy(), expected, atol=1e-12)


def test_clips_are_corrected_one_by_one():
    figure = make_figure(3, 40)
    seen = view(make_figure(3, 40, seed=5))
    together = correct(figure, seen)
    for clip in range(3):
        one = slice(clip, clip + 1)
        alone = correct(cut(figure, one, None), cut(seen, one, None))
        torch.testing.assert_close(together[one], alone)


def test_padding_has_no_effect():
    figure, seen = make_figure(1, 40), view(make_figure(1, 40, seed=5))
    alone = correct(cut(figure, slice(None), 17), cut(seen, slice(None), 17))
    figure.transl_w[:, 17:] -= 7.0
    seen[0][:, 17:] += 3.0
    trajectory = correct(figure, seen, torch.arange(40)[None] < 17)
    torch.testing.assert_close(trajectory[:, :17], alone)


@pytest.mark.parametrize('length', [1, 2, 3])
def test_the_shortest_clips(length):
    figure = make_figure(2, length)
    trajectory = correct(figure, view(figure))
    assert trajectory.shape == (2, length, 3) and trajectory.isfinite().all()


def test_no_frame_at_all_is_an_error():
    figure = make_figure(1, 2)
    with pytest.raises(ShapeError, match='at least one frame'):
        correct(cut(figure, slice(None), 0), cut(view(figure), slice(None), 0))


def test_wrong_shapes_are_named():
    figure = make_figure(1, 4)
    transl_c, R_c, offset = view(figure)
    with pytest.raises(ShapeError, match='transl_c'):
        correct(figure, (transl_c[:, :3], R_c, offset))
    with pytest.raises(ShapeError, match='R_c'):
        correct(figure, (transl_c, R_c[..., 0], offset))
