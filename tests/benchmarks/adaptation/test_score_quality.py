import numpy as np
import pytest

from benchmarks.adaptation.score_quality import score_quality, summarise_points

ERROR = np.array([10.0, 20.0, 30.0, 40.0])


def test_a_perfect_score():
    quality = score_quality(-ERROR, ERROR, np.array([True, True, True, False]))
    assert quality['auroc'] == 1
    assert quality['spearman'] == pytest.approx(1)
    assert (quality['kept_error'], quality['dropped_error']) == (20, 40)
    assert (quality['upper_half_error'], quality['lower_half_error']) == (15, 35)
    assert quality['kept'] == 0.75
    assert quality['notes'] == []


@pytest.mark.parametrize('kept, missing', [(True, 'dropped_error'), (False, 'kept_error')])
def test_everything_or_nothing_kept(kept, missing):
    quality = score_quality(-ERROR, ERROR, np.full(4, kept))
    assert quality[missing] is None
    assert quality['kept_error' if kept else 'dropped_error'] == 25
    assert quality['upper_half_error'] == 15
    assert f'{"everything" if kept else "nothing"} is kept' in quality['notes']


def test_a_constant_score():
    quality = score_quality(np.zeros(4), ERROR)
    assert quality['auroc'] == 0.5
    assert quality['spearman'] is None and quality['upper_half_error'] is None
    assert 'the same for all clips' in quality['notes'][0]
    assert quality['kept_error'] is None and quality['kept'] is None


def test_clips_without_evidence_are_left_out():
    score = np.array([4.0, np.nan, 2.0, 1.0])
    quality = score_quality(score, ERROR, np.array([True, True, False, False]))
    assert quality['kept_error'] == 10
    assert quality['dropped_error'] == 35
    assert '1 clip(s) without evidence' in quality['notes'][0]
    assert score_quality(np.full(4, np.nan), ERROR)['auroc'] is None


def test_points_are_judged_by_source_and_dataset():
    points = dict(
        dataset=['a', 'a', 'b', 'b'],
        keep=[True, True, False, False],
        confidence=[0.9, 0.8, 0.2, 0.1],
        pa_mpjpe=[10, 20, 30, 40],
        mpjpe=[40, 30, 20, 10],
        score_first=[1, 2, 3, 4],
        score_second=[4, 3, None, 1],
    )
    found = summarise_points(points)
    assert found['combined']['auroc'] == 1
    assert found['combined_mpjpe']['auroc'] == 0
    assert found['sources']['first']['spearman'] == pytest.approx(-1)
    assert found['sources']['second']['spearman'] == pytest.approx(1)
    assert found['datasets']['a']['kept_error'] == 15
    assert found['datasets']['b']['kept_error'] is None
