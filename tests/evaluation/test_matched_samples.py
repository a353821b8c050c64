"""People found in a video, matched to the labelled ones by their boxes."""

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.evaluation import (
    CameraSpaceMetric,
    FoundPerson,
    WorldSpaceMetric,
    format_table,
    matched_samples,
)
from gvhmr_da_mm.evaluation.compare_results import compare_results
from gvhmr_da_mm.evaluation.matched_samples import assign_people
from gvhmr_da_mm.evaluation.report import report_rows

LEFT, RIGHT = [0.0, 0, 10, 20], [30.0, 0, 40, 20]


def boxes(corners, frames):
    return np.tile(np.array(corners), (frames, 1))


def track(corners, frames, **fields):
    frames = np.asarray(frames)
    return FoundPerson(frames, boxes(corners, len(frames)), fields)


def test_people_are_assigned_one_to_one_and_in_their_frames():
    found = [track(RIGHT, range(4, 9)), track(LEFT, range(6)), track([2.0, 0, 12, 20], range(6))]
    left, right = assign_people([0, 5], [boxes(LEFT, 8), boxes(RIGHT, 5)], found)
    # Two tracks lie on the left person: the better one is theirs, the other is nobody's.
    np.testing.assert_array_equal(left, [1, 1, 1, 1, 1, 1, -1, -1])
    np.testing.assert_array_equal(right, [0, 0, 0, 0, -1])


def test_the_sum_of_the_overlaps_decides_in_a_crossing():
    labelled = [boxes([0.0, 0, 10, 10], 1), boxes([4.0, 0, 14, 10], 1)]
    found = [track([3.0, 0, 13, 10], [0]), track([5.0, 0, 15, 10], [0])]
    first, second = assign_people([0, 0], labelled, found, min_overlap=0.3)
    assert (first[0], second[0]) == (0, 1)


def test_boxes_that_hardly_overlap_are_not_matched():
    found = [track([6.0, 0, 16, 20], range(3))]
    (tracks,) = assign_people([0], [boxes(LEFT, 3)], found)
    assert (tracks == -1).all()
    (tracks,) = assign_people([0], [boxes(LEFT, 3)], found, min_overlap=0.2)
    assert (tracks == 0).all()


FIELDS = ('body_pose', 'betas', 'global_orient_c', 'transl_c', 'global_orient_w', 'transl_w')


def found_in(sample, frames, corners=LEFT):
    pred = sample.pred_instances
    frames = np.asarray(frames)
    return track(corners, frames, **{name: pred[name][frames] for name in FIELDS})


@pytest.mark.fixtures
def test_errors_are_of_matched_frames_and_coverage_counts_the_lost(fixtures_root, labelled_sample):
    seen, lost = labelled_sample('emdb1', 4, frames=40), labelled_sample('emdb1', 5, frames=40)
    for sample in (seen, lost):
        sample.gt_instances.mask[:] = True
    wrong = found_in(seen, range(30, 40))
    wrong.fields['body_pose'] = wrong.fields['body_pose'] + 1
    tracks = [found_in(seen, range(20)), wrong]
    labelled = [sample.to_dict() for sample in (seen, lost)]
    results = {}
    for name, found in (('good', tracks[:1]), ('both', tracks), ('none', [])):
        metric = CameraSpaceMetric(protocol='emdb1_e2e', data_root=fixtures_root)
        for sample in labelled:
            ours = found if sample['sequence'] == seen.sequence else []
            metric.process(None, matched_samples([sample], [boxes(LEFT, 40)], ours))
        results[name] = (metric.evaluate(2), metric.per_sequence)
    good, per_sequence = results['good']
    assert good['emdb1_e2e/coverage'] == pytest.approx(100 * 20 / 80)
    assert 0 < good['emdb1_e2e/matched_mpjpe'] < 2
    assert per_sequence[seen.sequence]['frames'] == 20
    assert per_sequence[seen.sequence]['coverage'] == pytest.approx(50)
    assert per_sequence[lost.sequence] == dict(frames=0, labelled_frames=40, coverage=0.0)
    both, _ = results['both']
    assert both['emdb1_e2e/coverage'] == pytest.approx(100 * 30 / 80)
    assert both['emdb1_e2e/matched_mpjpe'] > 50
    none, _ = results['none']
    assert none['emdb1_e2e/coverage'] == 0 and np.isnan(none['emdb1_e2e/matched_mpjpe'])

    rows = {row.metric for row in report_rows(good)}
    assert 'MPJPE of matched frames, coverage 25.0 %' in rows and 'Coverage' in rows
    assert format_table(good).row_count == 5
    (change,) = [
        change
        for change in compare_results(
            dict(emdb1_e2e=per_sequence), dict(emdb1_e2e=results['both'][1])
        ).metrics
        if change.metric == 'coverage'
    ]
    assert (change.before, change.after) == (pytest.approx(25), pytest.approx(37.5))
    assert change.count() == (1, 0, 1)


@pytest.mark.fixtures
def test_the_world_is_scored_end_to_end_too(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb2', 4)
    sample.gt_instances.mask[:] = True
    given = WorldSpaceMetric(protocol='emdb2', data_root=fixtures_root)
    given.process(None, [sample.to_dict()])
    found = [found_in(sample, range(len(sample.gt_instances)))]
    corners = [boxes(LEFT, len(sample.gt_instances))]
    metric = WorldSpaceMetric(protocol='emdb2_e2e', data_root=fixtures_root)
    metric.process(None, matched_samples([sample.to_dict()], corners, found))
    results = metric.evaluate(1)
    assert results.pop('emdb2_e2e/coverage') == 100
    expected = {f'emdb2_e2e/matched_{k[6:]}': v for k, v in given.evaluate(1).items()}
    assert results == expected


@pytest.mark.fixtures
def test_samples_that_were_not_matched_are_refused(fixtures_root, labelled_sample):
    sample = labelled_sample('emdb1', 4, frames=5)
    metric = CameraSpaceMetric(protocol='emdb1_e2e', data_root=fixtures_root)
    with pytest.raises(DataError, match='matched'):
        metric.process(None, [sample.to_dict()])
    sample.pred_instances.matched = torch.ones(5, dtype=torch.bool)
    metric.process(None, [sample.to_dict()])
    assert metric.evaluate(1)['emdb1_e2e/coverage'] == 100
