"""Stacked labels of a batch, and samples that are made when they are asked for."""

import torch

from gvhmr_da_mm.models import GVHMR
from gvhmr_da_mm.structures import ClipSamples, stack_labels
from tests.testing import toy_inputs, toy_samples


def make_samples():
    return toy_samples(toy_inputs(3, 5))


def test_samples_are_made_when_they_are_asked_for():
    calls = []

    def bare():
        calls.append(1)
        return [sample.new() for sample in make_samples()]

    labels = stack_labels(make_samples())
    samples = ClipSamples(bare, labels).to('cpu')
    assert len(samples) == 3 and samples.stacked['betas'].shape == (3, 5, 10)
    GVHMR.require_labels(samples, torch.device('cpu'))
    assert not calls
    for _ in range(2):
        for sample, expected in zip(samples, make_samples()):
            assert sample.sequence == expected.sequence
            for name, value in expected.gt_instances.items():
                assert torch.equal(sample.gt_instances[name], value)
            assert 'camera_only' not in sample.gt_instances
    assert samples[1] is list(samples)[1] and len(calls) == 1


def test_the_model_gets_the_same_from_stacked_labels():
    plain = make_samples()
    plain[1].set_metainfo(dict(supervision='camera'))
    device = torch.device('cpu')
    expected = GVHMR.require_labels(plain, device)
    found = GVHMR.require_labels(ClipSamples(plain, stack_labels(plain)), device)
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert torch.equal(found[name], value) and found[name].dtype == value.dtype
    assert expected['camera_only'].tolist() == [False, True, False]
