"""Correction by static joints: analytic cases and properties."""

import pytest
import torch

from gvhmr_da_mm.core.errors import ShapeError
from gvhmr_da_mm.core.filtering import gaussian_smooth
from gvhmr_da_mm.core.postprocess import correct_moving_camera
from tests.core.postprocess.figure import Figure, make_figure

DOUBT = -20.0
"""Contact logit of a moving joint."""


def correct(figure, valid=None):
    return correct_moving_camera(figure.transl_w, figure.joints_w, figure.static_logits, valid)


def first(figure, frames):
    return Figure(*(value[:, :frames] for value in figure))


def test_a_motionless_body_stays_and_stands_on_the_ground():
    figure = make_figure(2, 30, moving=False)
    trajectory = correct(figure)
    torch.testing.assert_close(trajectory[..., [0, 2]], figure.transl_w[..., [0, 2]])
    lowest = (figure.joints_w[..., 1] + (trajectory - figure.transl_w)[:, :, None, 1]).amin((1, 2))
    torch.testing.assert_close(lowest, torch.zeros_like(lowest))


def test_without_static_joints_the_trajectory_is_smoothed_alone():
    figure = make_figure(2, 50)._replace(static_logits=torch.full((2, 50, 6), DOUBT).double())
    trajectory = correct(figure)
    horizontal = figure.transl_w[..., [0, 2]]
    torch.testing.assert_close(trajectory[..., [0, 2]], gaussian_smooth(horizontal, 3.0, dim=1))
    height = trajectory[..., 1] - figure.transl_w[..., 1]
    torch.testing.assert_close(height, height[:, :1].expand_as(height))


def test_drift_of_a_standing_body_is_removed():
    still = make_figure(1, 40, moving=False)
    drift = 0.02 * torch.arange(40, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0.2, -0.5])
    logits = torch.full((1, 40, 6), DOUBT, dtype=torch.float64)
    logits[..., 3] = 4.0  # One foot is enough.
    drifting = still._replace(transl_w=still.transl_w + drift, static_logits=logits)
    torch.testing.assert_close(correct(drifting), correct(still))


def test_the_surest_joint_counts_most():
    figure = make_figure(1, 3)
    logits = torch.full((1, 3, 6), DOUBT, dtype=torch.float64)
    logits[..., 0], logits[..., 5] = 30.0, 1.0
    only = torch.full_like(logits, DOUBT)
    only[..., 0] = 30.0
    both, one = (correct(figure._replace(static_logits=x)) for x in (logits, only))
    torch.testing.assert_close(both, one, atol=1e-9, rtol=0)


def test_clips_are_corrected_one_by_one():
    figure = make_figure(3, 25)
    alone = [correct(Figure(*(value[i : i + 1] for value in figure))) for i in range(3)]
    torch.testing.assert_close(correct(figure), torch.cat(alone))


def test_padding_has_no_effect():
    figure = make_figure(2, 30)
    valid = torch.arange(30) < torch.tensor([[30], [12]])
    figure.transl_w[1, 12:] -= 5.0  # Far below the ground.
    trajectory = correct(figure, valid)
    torch.testing.assert_close(trajectory[:1], correct(Figure(*(x[:1] for x in figure))))
    alone = correct(first(Figure(*(x[1:] for x in figure)), 12))
    torch.testing.assert_close(trajectory[1:, :12], alone)


@pytest.mark.parametrize('length', [1, 2, 3])
def test_the_shortest_clips(length):
    figure = make_figure(2, length)
    trajectory = correct(figure)
    assert trajectory.shape == (2, length, 3) and trajectory.isfinite().all()
    if length == 1:
        torch.testing.assert_close(trajectory[..., [0, 2]], figure.transl_w[..., [0, 2]])


def test_a_clip_without_a_valid_frame_stays_finite():
    figure = make_figure(2, 8)
    valid = torch.arange(8) < torch.tensor([[8], [0]])
    trajectory = correct(figure, valid)
    assert trajectory.isfinite().all()
    torch.testing.assert_close(trajectory[:1], correct(Figure(*(x[:1] for x in figure))))


def test_no_frame_at_all_is_an_error():
    with pytest.raises(ShapeError, match='at least one frame'):
        correct(first(make_figure(1, 2), 0))


def test_wrong_shapes_are_named():
    figure = make_figure(1, 4)
    with pytest.raises(ShapeError, match='static_logits'):
        correct(figure._replace(static_logits=figure.static_logits[..., :5]))
    with pytest.raises(ShapeError, match='valid'):
        correct(figure, torch.ones(1, 3, dtype=torch.bool))
