import json

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.evaluation.compare_results import (
    bootstrap_interval,
    compare_results,
    protocol_notes,
    read_per_sequence,
)


def result(values, frames=None, metric='mpjpe'):
    frames = frames or [10] * len(values)
    return dict(
        emdb1={
            f's{index}': {'frames': count, metric: value}
            for index, (value, count) in enumerate(zip(values, frames))
        }
    )


def test_means_weigh_frames_and_changes_are_sorted():
    before, after = (result(v, [10, 30]) for v in ([1.0, 2.0], [3.0, 1.0]))
    (change,) = compare_results(before, after).metrics
    assert change.before == pytest.approx((10 + 60) / 40)
    assert change.after == pytest.approx((30 + 30) / 40)
    assert [c.sequence for c in change.sequences] == ['s1', 's0']
    assert change.count() == (1, 1, 0)
    assert change.verdict == 'unclear'


@pytest.mark.parametrize('shift, verdict', [(-5.0, 'better'), (5.0, 'worse'), (0.0, 'unclear')])
def test_verdict(shift, verdict):
    values = np.random.default_rng(0).uniform(50, 100, 20)
    noise = np.random.default_rng(1).normal(0, 1, 20)
    noise -= noise.mean()
    changed = compare_results(result(values), result(values + noise + shift)).metrics[0]
    assert changed.verdict == verdict
    assert changed.interval[0] < shift < changed.interval[1]
    # Pairs count: the spread of the sequences themselves is larger than any of these changes.
    assert changed.interval[1] - changed.interval[0] < 2


def test_interval_is_that_of_the_mean():
    """For many equal weights it tends to the normal interval."""
    generator = np.random.default_rng(0)
    differences = generator.normal(0.3, 2, 400)
    low, high = bootstrap_interval(differences, np.ones(400), 0.95, 4000, seed=0)
    half = 1.96 * differences.std(ddof=1) / 20
    assert low == pytest.approx(differences.mean() - half, abs=0.03)
    assert high == pytest.approx(differences.mean() + half, abs=0.03)
    again = bootstrap_interval(differences, np.ones(400), 0.95, 4000, seed=0)
    assert again == (low, high)
    narrow = bootstrap_interval(differences, np.ones(400), 0.5, 4000, seed=0)
    assert low < narrow[0] < narrow[1] < high


def test_one_sequence_has_no_interval():
    (change,) = compare_results(result([1.0]), result([2.0])).metrics
    assert change.interval is None and change.verdict == 'unclear'


def test_what_is_in_one_result_only_is_noted():
    before, after = result([1.0, 2.0, 3.0]), result([1.0, 2.0], [10, 12])
    after['rich'] = {}
    notes = ' '.join(compare_results(before, after).notes)
    for part in ('emdb1 sequence s2', 'protocol rich', 's1: 10 frames in the first result, 12'):
        assert part in notes


def test_undefined_numbers_are_left_out():
    before, after = result([1.0, None, 2.0]), result([1.0, 2.0, None])
    (change,) = compare_results(before, after).metrics
    assert [c.sequence for c in change.sequences] == ['s0']


def test_other_protocols_are_noted(tmp_path):
    paths = [tmp_path / f'{name}.json' for name in 'abc']
    facts = dict(space='camera', compat='correct', conditions=dict(flip_test=True))
    changed = dict(facts, conditions=dict(flip_test=False))
    for path, protocols in zip(paths, (dict(emdb1=facts), dict(emdb1=changed), None)):
        path.write_text(json.dumps(dict(protocols=protocols) if protocols else {}))
    assert protocol_notes(paths[0], paths[0]) == []
    (note,) = protocol_notes(paths[0], paths[1])
    assert note == 'emdb1: flip_test is True in the first result, False in the second'
    assert protocol_notes(paths[0], paths[2]) == []


def test_errors(tmp_path):
    with pytest.raises(DataError, match='no sequence with a common metric'):
        compare_results(result([1.0]), dict(emdb2={}))
    with pytest.raises(MissingFilesError, match='absent'):
        read_per_sequence(tmp_path / 'absent.json')
    path = tmp_path / 'results.json'
    for content in ('[1]', 'text', '{}', '{"per_sequence": {"emdb1": {"s0": {"mpjpe": 1}}}}'):
        path.write_text(content)
        with pytest.raises(DataError, match='results.json'):
            read_per_sequence(path)
    path.write_text(json.dumps(dict(per_sequence=dict(emdb1={}))))
    with pytest.raises(DataError, match='empty `per_sequence`: test again'):
        read_per_sequence(path)
