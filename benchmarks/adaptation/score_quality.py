"""Quality of scores as a filter of pseudo-labels, by the true errors of the labels."""

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np

from benchmarks.adaptation.rank_statistics import auroc, spearman

_MEASURES = (
    *('auroc', 'spearman', 'upper_half_error', 'lower_half_error'),
    *('kept_error', 'dropped_error', 'kept'),
)


def score_quality(
    score: np.ndarray, error: np.ndarray, keep: Optional[np.ndarray] = None
) -> dict[str, Any]:
    """Measure one score; clips for which it is not finite are left out.

    Args:
        score (np.ndarray): Shape (N,), larger where a label should be better.
        error (np.ndarray): Errors of the labels (N,), mm.
        keep (np.ndarray, optional): Mask of the clips that the threshold keeps (N,), bool. Defaults
            to None: there is no threshold on this score.

    Returns:
        dict[str, Any]: ``auroc`` of the score against "error below the median"; ``spearman``, the
        rank correlation with the negative error, so 1 is best; mean errors ``kept_error`` and
        ``dropped_error``; ``upper_half_error`` and ``lower_half_error``, those above the median
        score and the others; ``kept`` (share). Undefined ones are None; ``notes`` has the reasons.
    """
    known = np.isfinite(score)
    score, error = score[known], error[known]
    notes = [] if known.all() else [f'{int((~known).sum())} clip(s) without evidence left out']
    if not len(score):
        return dict(**dict.fromkeys(_MEASURES), notes=['no clip has this score'])
    upper = score > np.median(score)
    result = dict(
        auroc=auroc(score, error < np.median(error)),
        spearman=spearman(score, -error),
        upper_half_error=_mean(error[upper]),
        lower_half_error=_mean(error[~upper]),
        kept_error=None,
        dropped_error=None,
        kept=None,
    )
    if np.ptp(score) == 0:
        notes.append(f'the score is the same for all clips ({score[0]:.3g})')
    if keep is not None:
        keep = keep[known]
        result.update(
            kept_error=_mean(error[keep]), dropped_error=_mean(error[~keep]), kept=keep.mean()
        )
        if keep.all() or not keep.any():
            notes.append(f'{"everything" if keep.all() else "nothing"} is kept')
    return dict(result, notes=notes)


def summarise_points(points: Mapping[str, Sequence]) -> dict[str, Any]:
    """Measure every score of a set of clips.

    Args:
        points (Mapping[str, Sequence]): Of each clip ``dataset``, ``keep``, ``confidence``,
            ``pa_mpjpe``, ``mpjpe``, and scores named ``score_<source>``, NaN where a source has no
            evidence.
    """
    keep = np.asarray(points['keep'], dtype=bool)
    error = np.asarray(points['pa_mpjpe'], dtype=float)
    confidence = np.asarray(points['confidence'], dtype=float)
    names = np.asarray(points['dataset'])
    prefix = 'score_'
    return dict(
        combined=score_quality(confidence, error, keep),
        combined_mpjpe=score_quality(confidence, np.asarray(points['mpjpe'], dtype=float), keep),
        sources={
            name[len(prefix) :]: score_quality(np.asarray(values, dtype=float), error)
            for name, values in points.items()
            if name.startswith(prefix)
        },
        datasets={
            str(name): score_quality(*(x[names == name] for x in (confidence, error, keep)))
            for name in dict.fromkeys(points['dataset'])
        },
    )


def _mean(values: np.ndarray) -> Optional[float]:
    return float(values.mean()) if len(values) else None
