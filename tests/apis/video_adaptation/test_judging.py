from types import SimpleNamespace

import pytest
import torch

from gvhmr_da_mm.apis.video_adaptation.judging import objections, standing_feet

BEFORE = dict(reprojection_px=20.0, contact=5.0, jitter=10.0, confidence=0.6)


def judge(network=None, fitted=None, before=None):
    """Return the objections to an adapted model whose scores differ in these values."""
    source = dict(network={**BEFORE, **(before or {})}, fitted=BEFORE)
    better = dict(BEFORE, reprojection_px=15.0)
    after = dict(network={**better, **(network or {})}, fitted={**BEFORE, **(fitted or {})})
    return objections(source, after)


def test_nearer_to_the_keypoints_and_otherwise_the_same_is_better():
    assert judge() == []


@pytest.mark.parametrize(
    'changes, said',
    [
        (dict(network=dict(reprojection_px=19.9)), 'network: reprojection_px is 19.9, from 20'),
        (dict(network=dict(confidence=0.4)), 'network: confidence is 0.4, from 0.6'),
        (dict(fitted=dict(reprojection_px=21.0)), 'fitted: reprojection_px is 21'),
        (dict(fitted=dict(contact=7.5)), 'fitted: contact is 7.5, from 5'),
        (dict(fitted=dict(jitter=14.0)), 'fitted: jitter is 14, from 10'),
        (dict(fitted=dict(jitter=float('nan'))), 'fitted: jitter cannot be measured any more'),
        (dict(network=dict(reprojection_px=None)), 'network: reprojection_px cannot be measured'),
    ],
)
def test_what_is_worse_is_said(changes, said):
    (objection,) = judge(**changes)
    assert said in objection


@pytest.mark.parametrize(
    'changes', [dict(network=dict(jitter=99.0)), dict(fitted=dict(jitter=11.9, contact=6.9))]
)
def test_small_changes_and_the_jitter_of_the_network_alone_do_not_count(changes):
    assert judge(**changes) == []


def test_scores_that_were_unknown_before_are_not_compared():
    assert judge(network=dict(confidence=None), before=dict(confidence=None)) == []


def test_without_confident_keypoints_nothing_is_judged():
    (objection,) = judge(before=dict(reprojection_px=None))
    assert 'no held-out keypoint is confident' in objection


def test_feet_stand_where_both_models_say_so():
    def stretches(*logits):
        instances = (SimpleNamespace(static_logits=torch.tensor(one)) for one in logits)
        return [SimpleNamespace(sample=SimpleNamespace(pred_instances=one)) for one in instances]

    source = stretches([[2.0, 2, -2, -2, 9, 9], [2, 2, 2, 2, 9, 9]], [[-1.0] * 6])
    adapted = stretches([[2.0, -2, 2, -2, 9, 9], [2, 2, 2, -2, 9, 9]], [[3.0] * 6])
    first, second = standing_feet([source, adapted])
    assert first.tolist() == [[True, False, False, False], [True, True, True, False]]
    assert not second.any() and second.shape == (1, 4)
    (alone, _) = standing_feet([source])
    assert alone[0].tolist() == [True, True, False, False]
