import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models.adaptation import ConfidenceCalibrator


def test_none_passes_scores_through():
    scores = torch.tensor([[0.1, 0.9], [0.5, float('nan')]])
    torch.testing.assert_close(
        ConfidenceCalibrator()(scores), torch.tensor([[0.1, 0.9], [0.5, 0.0]])
    )


def test_rank_among_true_scores():
    calibrator = ConfidenceCalibrator('quantile', size=4, min_scores=4)
    calibrator.update(torch.tensor([0.50, 0.52, 0.54, 0.56]))
    scores = torch.tensor([[0.49, 0.51, 0.53], [0.55, 0.57, 0.52]])
    expected = torch.tensor([[0.0, 0.25, 0.5], [0.75, 1.0, 0.375]])
    torch.testing.assert_close(calibrator(scores), expected)


def test_a_converged_discriminator_still_selects():
    """All scores near 0.5: absolute thresholds choose nothing, ranks are uniform."""
    calibrator = ConfidenceCalibrator('quantile', size=1000)
    calibrator.update(0.5 + 0.01 * torch.randn(1000))
    scores = 0.5 + 0.01 * torch.randn(1000)
    assert (ConfidenceCalibrator()(scores) > 0.6).sum() == 0
    assert abs((calibrator(scores) > 0.6).float().mean() - 0.4) < 0.06


def test_nothing_is_confident_before_enough_is_known():
    calibrator = ConfidenceCalibrator('quantile', size=8, min_scores=3)
    calibrator.update(torch.tensor([0.1, 0.2]))
    assert (calibrator(torch.ones(5)) == 0).all()
    calibrator.update(torch.tensor([0.3]))
    assert (calibrator(torch.ones(5)) == 1).all()


def test_the_oldest_scores_are_forgotten():
    calibrator = ConfidenceCalibrator('quantile', size=4, min_scores=1)
    calibrator.update(torch.tensor([0.9, 0.9, 0.9]))
    calibrator.update(torch.tensor([0.1, 0.2]))
    assert sorted(calibrator.true_scores.tolist()) == pytest.approx([0.1, 0.2, 0.9, 0.9])
    calibrator.update(torch.arange(10.0).reshape(2, 5))
    assert sorted(calibrator.true_scores.tolist()) == [6, 7, 8, 9]
    calibrator.update(torch.tensor([3.0]))
    assert sorted(calibrator.true_scores.tolist()) == [3, 7, 8, 9]


def test_broken_scores():
    calibrator = ConfidenceCalibrator('quantile', size=4, min_scores=1)
    calibrator.update(torch.tensor([0.5, float('nan')]))
    assert calibrator.num_seen == 1
    assert calibrator(torch.tensor([float('nan'), 0.6])).tolist() == [0.0, 1.0]


def test_travels_with_the_checkpoint():
    calibrator = ConfidenceCalibrator('quantile', size=4, min_scores=1)
    calibrator.update(torch.rand(6))
    restored = ConfidenceCalibrator('quantile', size=4, min_scores=1)
    restored.load_state_dict(calibrator.state_dict())
    scores = torch.rand(10)
    assert torch.equal(restored(scores), calibrator(scores))
    assert calibrator(scores).max() > 0


def test_errors():
    with pytest.raises(ConfigError, match='mode'):
        ConfidenceCalibrator('rank')
    with pytest.raises(ConfigError, match='min_scores'):
        ConfidenceCalibrator(size=4)
