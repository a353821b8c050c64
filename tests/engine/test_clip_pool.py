"""A pool of clips gives back what it was given, the latest clips of it."""

import pytest
import torch

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.engine.clip_pool import ClipPool
from gvhmr_da_mm.structures import ClipSamples, stack_labels
from tests.testing import toy_inputs, toy_samples

CPU = torch.device('cpu')


def batch(number=3, length=5, seed=0, features=True):
    inputs = toy_inputs(number, length, seed=seed)
    if not features:
        inputs['f_imgseq'] = torch.zeros(1, 1, 1).expand(inputs['f_imgseq'].shape)
    samples = toy_samples(inputs, seed=seed)
    for index, sample in enumerate(samples):
        sample.set_metainfo(dict(sequence=f'{seed}/{index}'))
    labels = stack_labels(samples)
    return inputs, labels, ClipSamples(samples, labels)


@pytest.mark.parametrize('features', [True, False])
def test_the_latest_clips_are_kept_as_they_were(features):
    pool, batches = ClipPool(7, CPU), [batch(seed=seed, features=features) for seed in range(4)]
    for number, one in enumerate(batches, start=1):
        pool.add(*one)
        assert pool.count == min(3 * number, 7)
    drawn = pool.draw(torch.arange(7).repeat(2))
    pool.add(*batches[0])  # What was drawn stays.
    names = [sample.sequence for sample in drawn['data_samples']]
    assert sorted(set(names)) == ['1/2', '2/0', '2/1', '2/2', '3/0', '3/1', '3/2']
    for place, name in enumerate(names):
        seed, index = map(int, name.split('/'))
        inputs, labels, _ = batches[seed]
        assert drawn['inputs'].keys() == inputs.keys()
        for key, value in inputs.items():
            assert torch.equal(drawn['inputs'][key][place], value[index])
        for key, value in labels.items():
            assert torch.equal(drawn['data_samples'].stacked[key][place], value[index])
    assert drawn['data_samples'][0] is not drawn['data_samples'][7]  # Drawn twice.


def test_absent_features_take_no_room():
    sizes = []
    for features in (True, False):
        pool = ClipPool(8, CPU)
        pool.add(*batch(features=features))
        sizes.append(pool.num_bytes)
        assert pool.draw(torch.tensor([0]))['inputs']['f_imgseq'].shape == (1, 5, 1024)
    assert sizes[0] - sizes[1] == 8 * 4 * (5 * 1024 - 1)


def test_a_draw_makes_no_samples(monkeypatch):
    pool = ClipPool(8, CPU)
    pool.add(*batch())
    monkeypatch.setattr('gvhmr_da_mm.engine.clip_pool.PoseDataSample', None)
    drawn = pool.draw(torch.tensor([0, 0]))['data_samples']
    assert len(drawn) == 2 and drawn.to(CPU).stacked['betas'].shape == (2, 5, 10)


def test_clips_that_differ_are_refused():
    pool = ClipPool(8, CPU)
    pool.add(*batch())
    with pytest.raises(DataError, match=r'`K_fullimg` is .*\(5, 3, 3\).*\(6, 3, 3\)'):
        pool.add(*batch(length=6))
    with pytest.raises(DataError, match=r'`f_imgseq` is .*\(5, 1024\).*\(1, 1\)'):
        pool.add(*batch(features=False))
    inputs, labels, samples = batch()
    with pytest.raises(DataError, match='only some have `betas`'):
        pool.add(inputs, {k: v for k, v in labels.items() if k != 'betas'}, samples)
    with pytest.raises(DataError, match=r'9 clips, but the pool holds 8.*pool_clips'):
        pool.add(*batch(9))
