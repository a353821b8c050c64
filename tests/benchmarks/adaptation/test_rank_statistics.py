import numpy as np
import pytest

from benchmarks.adaptation.rank_statistics import auroc, spearman


def test_auroc_counts_pairs():
    scores = np.array([0.1, 0.4, 0.35, 0.8])
    assert auroc(scores, np.array([False, False, True, True])) == pytest.approx(3 / 4)
    assert auroc(scores, np.array([False, False, False, True])) == 1
    assert auroc(-scores, np.array([False, False, False, True])) == 0


def test_auroc_of_ties_is_half():
    assert auroc(np.zeros(6), np.array([True, False] * 3)) == 0.5
    # One pair is won, one is tied: (1 + 1 / 2) / 2.
    assert auroc(np.array([1, 1, 0]), np.array([True, False, False])) == 0.75


def test_auroc_equals_the_share_of_pairs():
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 5, 40), rng.random(40) < 0.4
    pairs = scores[positive][:, None] - scores[~positive]
    expected = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    assert auroc(scores, positive) == pytest.approx(expected)


def test_auroc_needs_both_classes():
    assert auroc(np.arange(3), np.ones(3, dtype=bool)) is None
    assert auroc(np.arange(3), np.zeros(3, dtype=bool)) is None


def test_spearman():
    x = np.array([1.0, 5.0, 2.0, 9.0])
    assert spearman(x, np.exp(x)) == pytest.approx(1)
    assert spearman(x, -(x**3)) == pytest.approx(-1)
    # Without ties: 1 - 6 sum(d^2) / (n (n^2 - 1)), with d = (0, 1, -1, 0).
    assert spearman(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])) == pytest.approx(0.8)


def test_spearman_of_a_constant_is_undefined():
    assert spearman(np.ones(4), np.arange(4)) is None
    assert spearman(np.ones(1), np.ones(1)) is None
