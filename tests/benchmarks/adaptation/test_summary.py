import math

import pytest

from benchmarks.adaptation.benchmark import make_summary
from benchmarks.adaptation.methods import retests, select_methods
from benchmarks.adaptation.summary import summarise, summarise_filter
from benchmarks.adaptation.tables import format_markdown, write_csv

METRIC = 'emdb1/pa_mpjpe'


def result(name, seed, value, **changes):
    fields = dict(name=name, seed=seed, status='finished', metrics={METRIC: value})
    return {**fields, 'kept_ratio': None, 'train_seconds': 2.0, 'test_seconds': 1.0, **changes}


@pytest.fixture
def results():
    return [
        *(result('source', seed, value) for seed, value in enumerate((100, 90, 110))),
        *(result('full', seed, v, kept_ratio=0.5) for seed, v in enumerate((70, 80, 75))),
        *(result('oracle', seed, value) for seed, value in enumerate((60, 50, 40))),
    ]


def test_means_and_deviations(results):
    full = summarise(results, ['source', 'full', 'oracle'])['full']
    assert full[METRIC]['mean'] == 75
    assert full[METRIC]['std'] == pytest.approx(5)
    assert full[METRIC]['values'] == [70, 80, 75]
    assert full[METRIC]['seeds'] == [0, 1, 2]
    assert full['kept_ratio'] == 0.5
    assert full['seconds'] == 3


def test_gap(results):
    methods = summarise(results, ['source', 'full', 'oracle'])
    assert methods['source']['gap_closed'][METRIC] == 0
    assert methods['oracle']['gap_closed'][METRIC] == 1
    full = methods['full']
    assert full['gap_closed'][METRIC] == pytest.approx((100 - 75) / (100 - 50))
    assert full['gap_closed_per_seed'][METRIC] == pytest.approx([30 / 40, 10 / 40, 35 / 70])
    assert full['gap_notes'] == {}


@pytest.fixture
def tested(results):
    """Return results of both tests: the usual ones, and the second ones of the same weights."""
    second = dict(source_refined=(90, 80, 85), full_network=(65, 75, 70), oracle_refined=(50,) * 3)
    return results + [
        result(name, seed, value) for name, own in second.items() for seed, value in enumerate(own)
    ]


def test_gap_of_refined_predictions(tested):
    methods = make_summary(tested, select_methods(['source', 'full', 'oracle']))['methods']
    for name in ('full', 'full_network'):
        gap = methods[name]['gap_closed_refined']
        # `full` is refined by itself; source and oracle are in their second tests.
        assert gap[METRIC] == pytest.approx((85 - 75) / (85 - 50))
        shares = methods[name]['gap_closed_refined_per_seed'][METRIC]
        assert shares == pytest.approx([20 / 40, 0 / 30, 10 / 35])
    for name in ('source', 'source_refined'):
        assert methods[name]['gap_closed_refined'][METRIC] == 0
    for name in ('oracle', 'oracle_refined'):
        assert methods[name]['gap_closed_refined'][METRIC] == 1
    assert methods['full']['gap_refined_notes'] == {}
    # The other share is not that of the refined tests.
    assert methods['full_network']['gap_closed'][METRIC] == pytest.approx((100 - 70) / 50)


def test_gap_of_refined_predictions_without_an_oracle(tested):
    full = make_summary(tested, select_methods(['source', 'full']))['methods']['full']
    assert full['gap_closed_refined'][METRIC] is None
    assert 'no seed' in full['gap_refined_notes'][METRIC]


def test_table_of_the_refined_gap(tested):
    methods = select_methods(['source', 'full', 'oracle'])
    settings = dict(seeds=3, source_steps=700, steps=300, shift=None)
    summary = dict(make_summary(tested, methods), settings=settings)
    rows = [*methods, *retests(methods)]
    text = format_markdown(summary, rows).partition('refined oracle\n')[2]
    assert '| `full` | 29 % (50, 0, 29) |' in text and '`full_network`' not in text
    for one in tested:
        if one['name'] == 'oracle_refined':
            one['metrics'] = {METRIC: 84.5}
    summary = dict(make_summary(tested, methods), settings=settings)
    assert '| `full` | – |' in format_markdown(summary, rows)


def test_gap_is_that_of_the_common_seeds(results):
    results[2] = dict(name='source', seed=2, status='failed', error='DataError: broken')
    methods = summarise(results, ['source', 'full', 'oracle'])
    assert methods['full']['gap_closed'][METRIC] == pytest.approx((95 - 75) / (95 - 55))
    assert methods['source']['failed'] == {'2': 'DataError: broken'}
    assert methods['source'][METRIC]['seeds'] == [0, 1]


def test_gap_without_an_oracle(results):
    full = summarise(results[:6], ['source', 'full'])['full']
    assert full['gap_closed'][METRIC] is None
    assert 'no seed' in full['gap_notes'][METRIC]


def test_gap_of_an_oracle_that_is_no_better(results):
    for one in results[6:]:
        one['metrics'] = {METRIC: 100}
    full = summarise(results, ['source', 'full', 'oracle'])['full']
    assert full['gap_closed'][METRIC] is None
    assert full['gap_notes'][METRIC] == 'the oracle is not better than the source'


def test_one_seed_has_no_deviation(results):
    methods = summarise(results[::3], ['source', 'full', 'oracle'])
    assert methods['full'][METRIC]['std'] is None


def test_missing_values_are_left_out(results):
    results[3]['metrics'] = {METRIC: None}
    full = summarise(results, ['source', 'full', 'oracle'])['full']
    assert full[METRIC]['mean'] == 77.5
    assert full['gap_closed'][METRIC] is None


def quality(auroc, **changes):
    fields = dict(auroc=auroc, spearman=0.5, kept_error=10.0, dropped_error=None, notes=[])
    return {**fields, **changes}


def test_filters_are_averaged():
    filters = [
        dict(
            combined=quality(auroc, notes=['everything is kept']),
            combined_mpjpe=quality(0.5),
            sources=dict(discriminator=quality(auroc / 2)),
            datasets={},
            threshold=0.9,
            clips=4,
        )
        for auroc in (0.6, 0.8)
    ]
    results = [result('full', seed, 1, filter=one) for seed, one in enumerate(filters)]
    found = summarise_filter(results, 'full')
    assert found['auroc'] == pytest.approx(0.7)
    assert found['values']['auroc'] == [0.6, 0.8]
    assert found['dropped_error'] is None
    assert found['notes'] == ['everything is kept']
    assert found['clips'] == 8
    assert found['sources']['discriminator']['auroc'] == pytest.approx(0.35)
    assert summarise_filter([result('full', 0, 1)], 'full') == {}


def test_table_and_csv(results, tmp_path):
    methods = select_methods(['source', 'full', 'full_transductive', 'oracle'])
    results.append(result('full_transductive', 0, 70.0))
    results.append(dict(name='oracle', seed=3, status='failed', error='OSError: disk'))
    names = [method.name for method in methods]
    settings = dict(seeds=3, source_steps=700, steps=300, shift=0.5)
    summary = dict(methods=summarise(results, names), filters={}, settings=settings)
    text = format_markdown(summary, methods)
    assert '| `full` | 75.0 ± 5.0 (50 %) |' in text
    assert '| `full_transductive` † | 70.0 (75 %) |' in text
    assert text.index('| `oracle` |') < text.index('| `full_transductive` †')
    assert 'OSError: disk' in text and 'shift 0.5' in text

    results[0]['metrics'][METRIC] = math.pi
    write_csv(tmp_path / 'results.csv', results, methods)
    lines = (tmp_path / 'results.csv').read_text().splitlines()
    assert lines[0] == 'method,transductive,seed,metric,unit,value'
    assert lines[1] == f'source,False,0,{METRIC},mm,{math.pi}'
    assert len(lines) == 1 + 10
    assert f'full_transductive,True,0,{METRIC},mm,70.0' in lines


@pytest.mark.parametrize('oracle, cell', [(98, '75.0 ± 5.0 (1250 %)'), (99.5, '75.0 ± 5.0')])
def test_table_shows_no_share_of_a_tiny_gap(results, oracle, cell):
    for one in results[6:]:
        one['metrics'] = {METRIC: oracle}
    methods = select_methods(['source', 'full', 'oracle'])
    measured = summarise(results, [method.name for method in methods])
    assert measured['full']['gap_closed'][METRIC] == pytest.approx(25 / (100 - oracle))
    settings = dict(seeds=3, source_steps=700, steps=300, shift=None)
    summary = dict(methods=measured, filters={}, settings=settings)
    assert f'| `full` | {cell} |' in format_markdown(summary, methods)
