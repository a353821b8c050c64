import pytest
from mmengine.utils import is_list_of

from benchmarks.adaptation.plots import mean_curves, plot_confidence, plot_curves, plot_gap
from benchmarks.adaptation.summary import summarise


def test_curves_are_averaged_over_common_steps():
    first = dict(loss=([10, 20, 30], [1.0, 2.0, 3.0]), own=([10], [5.0]))
    second = dict(loss=([10, 20], [3.0, 4.0]))
    averaged = mean_curves([first, second])
    assert averaged == dict(loss=([10, 20], [2.0, 3.0]), own=([10], [5.0]))
    assert is_list_of(averaged['loss'][1], float)


def test_pictures(tmp_path):
    curves = {
        'source': dict(synthetic_loss=([10, 20], [50.0, 2.0]), confidence_threshold=([10], [0.6])),
        'full': dict(
            synthetic_loss=([10, 20], [5.0, 4.0]),
            confidence_threshold=([10, 20], [0.6, 0.9]),
            selection_rate=([10, 20], [0.0, 1.0]),
        ),
    }
    assert plot_curves(curves, tmp_path / 'curves.png').stat().st_size > 10_000
    assert plot_curves({'full': {}}, tmp_path / 'none.png') is None

    points = dict(
        dataset=['a'] * 3,
        keep=[True, True, False],
        confidence=[0.9, 0.8, 0.1],
        pa_mpjpe=[10, 20, 30],
        score_reprojection=[0.5, None, 0.1],
    )
    path = plot_confidence([dict(points=points, threshold=0.7)], tmp_path / 'c.png', 'full')
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize('names', [('source', 'full', 'oracle'), ('source', 'full')])
def test_gap_is_drawn_where_there_is_one(tmp_path, names):
    values = dict(source=100, full=70, oracle=60)
    results = [
        dict(name=n, seed=s, status='finished', metrics={'3dpw/pa_mpjpe': values[n] + s})
        for n in names
        for s in range(2)
    ]
    path = plot_gap(summarise(results, names), tmp_path / 'gap.png')
    assert (path is not None) == ('oracle' in names)
    assert path is None or path.stat().st_size > 5_000
