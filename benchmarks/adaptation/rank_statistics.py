"""Rank statistics of scores: area under the ROC curve, rank correlation."""

import warnings
from typing import Optional

import numpy as np
from scipy import stats


def auroc(scores: np.ndarray, positive: np.ndarray) -> Optional[float]:
    """Return the probability that a positive scores higher than a negative; ties count half.

    Args:
        scores (np.ndarray): Shape (N,).
        positive (np.ndarray): Shape (N,), bool.

    Returns:
        float | None: In [0, 1]; None without a positive or without a negative.
    """
    positive = np.asarray(positive, dtype=bool)
    count, others = int(positive.sum()), int((~positive).sum())
    if not count or not others:
        return None
    ranks = stats.rankdata(scores)  # Ties share the mean of their ranks.
    # Mann-Whitney's U of the positives, as a share of all pairs.
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def spearman(first: np.ndarray, second: np.ndarray) -> Optional[float]:
    """Return the rank correlation of two (N,), in [-1, 1]; None if one is constant."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter('error', stats.ConstantInputWarning)
        return float(stats.spearmanr(first, second).statistic)
