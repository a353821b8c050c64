import pickle
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.datasets import AlternatingMultiSourceSampler, SourceRange
from gvhmr_da_mm.datasets.samplers import alternating_multi_source_sampler
from gvhmr_da_mm.datasets.samplers.weighted_stream import WeightedStream


class Sources:
    """Minimal dataset for the sampler."""

    def __init__(self, synthetic=(), real=(), weights=None):
        self.sources, start = {}, 0
        weights = iter(weights or [None] * (len(synthetic) + len(real)))
        for domain, sizes in (('synthetic', synthetic), ('real', real)):
            for number, size in enumerate(sizes):
                source = SourceRange(f'{domain}{number}', start, start + size, next(weights))
                self.sources.setdefault(domain, []).append(source)
                start += size

    def __len__(self):
        return sum(s.stop - s.start for sources in self.sources.values() for s in sources)

    def domain(self, index):
        for domain, sources in self.sources.items():
            if any(source.start <= index < source.stop for source in sources):
                return domain
        raise IndexError(index)


def build(dataset, batch_size=3, seed=0, rank=0, world_size=1, shuffle=True, **options):
    inner = SimpleNamespace(dataset=dataset, seed=seed, epoch=0, shuffle=shuffle)
    with pytest.MonkeyPatch.context() as patch:
        name = f'{AlternatingMultiSourceSampler.__module__}.get_dist_info'
        patch.setattr(name, lambda: (rank, world_size))
        return AlternatingMultiSourceSampler(inner, batch_size, **options)


def rhythm(sampler, epochs=1):
    return ''.join(
        sampler.domain(epoch, step)[0].upper()
        for epoch in range(epochs)
        for step in range(len(sampler))
    )


RATIOS = [(1, 'SRSRSR'), (2, 'SRRSRR'), (3, 'SRRRSRRR'), (0.5, 'SSRSSR'), (1 / 3, 'SSSRSSSR')]


@pytest.mark.parametrize('ratio, expected', RATIOS)
def test_the_rhythm_of_common_ratios(ratio, expected):
    sampler = build(Sources([100], [50]), alternating_ratio=ratio)
    assert rhythm(sampler, 2).startswith(expected)


@pytest.mark.parametrize(
    'synthetic, real, options, parts',
    [
        ([27], [5], {}, ['9 synthetic batches (27 clips)', '9 real batches (5 clips)']),
        ([30], [5], {}, []),
        ([60], [5], dict(alternating_ratio=0.25), ['5 real batches']),
        ([27], [5], dict(batches_per_epoch=40), []),
        ([], [27], {}, ['9 real batches']),
        ([30], [5], dict(alternating_ratio=0), []),
    ],
)
def test_epochs_with_few_batches_of_a_domain_are_reported(
    monkeypatch, synthetic, real, options, parts
):
    logged = []
    monkeypatch.setattr(
        alternating_multi_source_sampler, 'print_log', lambda text, *_, **__: logged.append(text)
    )
    build(Sources(synthetic, real), **options)
    reports = [text for text in logged if 'batches_per_epoch' in text]
    assert len(reports) == bool(parts)
    assert all(part in reports[0] for part in parts)


sizes = st.lists(st.integers(1, 40), min_size=1, max_size=3)
options = st.fixed_dictionaries(
    dict(
        batch_size=st.integers(1, 5),
        seed=st.integers(0, 2**31),
        world_size=st.integers(1, 3),
        alternating_ratio=st.sampled_from([0.1, 1 / 3, 0.5, 1, 1.5, 2, 3]),
    )
)


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, options)
def test_batches_have_one_domain_the_same_on_all_ranks(synthetic, real, opts):
    dataset = Sources(synthetic, real)
    ranks = [build(dataset, rank=rank, **opts) for rank in range(opts['world_size'])]
    for epoch in range(2):
        for step in range(min(len(ranks[0]), 12)):
            batches = [sampler.batch(epoch, step) for sampler in ranks]
            assert all(len(batch) == opts['batch_size'] for batch in batches)
            domains = {dataset.domain(key.index) for batch in batches for key in batch}
            assert domains == {ranks[0].domain(epoch, step)}
            seeds = [key.seed for batch in batches for key in batch]
            assert len(set(seeds)) == len(seeds)


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, options)
def test_the_ratio_holds_over_any_prefix(synthetic, real, opts):
    sampler = build(Sources(synthetic, real), **opts)
    order = rhythm(sampler, 4)
    ratio = opts['alternating_ratio']
    for length in range(1, len(order) + 1):
        expected = length * ratio / (1 + ratio)
        assert abs(order[:length].count('R') - expected) < 1 + 1e-9
    global_batch = opts['batch_size'] * opts['world_size']
    epoch = -(-sum(synthetic) // global_batch) * (1 + ratio)
    assert epoch - 1 < len(sampler) + 1e-9 and len(sampler) <= epoch + 1e-9


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, options)
def test_each_clip_is_drawn_once_per_pass_over_all_ranks(synthetic, real, opts):
    dataset = Sources(synthetic, real)
    ranks = [build(dataset, rank=rank, **opts) for rank in range(opts['world_size'])]
    drawn = [
        key.index
        for epoch in range(3)
        for step in range(len(ranks[0]))
        for sampler in ranks
        for key in sampler.batch(epoch, step)
    ]
    for sources in dataset.sources.values():
        for source in sources:
            clips = [index for index in drawn if source.start <= index < source.stop]
            size = source.stop - source.start
            for first in range(0, len(clips) - size + 1, size):
                assert len(set(clips[first : first + size])) == size


@settings(max_examples=20, deadline=None)
@given(sizes, sizes, options, st.integers(0, 50), st.integers(0, 1000))
def test_a_batch_does_not_depend_on_what_was_drawn_before(synthetic, real, opts, epoch, step):
    dataset = Sources(synthetic, real)
    used, fresh = build(dataset, **opts), build(dataset, **opts)
    list(used)
    step %= len(used)
    assert used.batch(epoch, step) == fresh.batch(epoch, step)


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.integers(1, 400),
)
def test_real_datasets_are_mixed_by_weight(weights, batches):
    dataset = Sources([5], [4 + n for n in range(len(weights))], weights=[1, *weights])
    sampler = build(dataset, batch_size=1, alternating_ratio=3, batches_per_epoch=1000)
    keys = [
        sampler.batch(0, step)[0] for step in range(batches) if sampler.domain(0, step) == 'real'
    ]
    for source, weight in zip(dataset.sources['real'], weights):
        served = sum(source.start <= key.index < source.stop for key in keys)
        assert abs(served - len(keys) * weight / sum(weights)) <= len(weights)


def test_by_default_a_large_real_dataset_does_not_drown_a_small_one():
    dataset = Sources([300], [100, 4])
    counts = Counter(
        key.index >= 400
        for batch in build(dataset, batch_size=4)
        for key in batch
        if key.index >= 300
    )
    assert counts[True] == counts[False]


def test_synthetic_datasets_are_mixed_by_size_by_default():
    keys = [key.index for batch in build(Sources([90, 10]), batch_size=10) for key in batch]
    assert sorted(keys) == list(range(100))


def test_without_a_ratio_every_clip_of_a_mixture_is_drawn_equally_often():
    sampler = build(Sources([30, 10], [18, 2]), batch_size=10, alternating_ratio=None)
    assert rhythm(sampler) == 'SSRSSR'
    assert sorted(key.index for batch in sampler for key in batch) == list(range(60))
    rare = build(Sources([5000], [2]), batch_size=10, alternating_ratio=None)
    assert rhythm(rare, 6).count('R') == 1


def test_weights_hold_without_a_ratio():
    sampler = build(Sources([20], [18, 2], weights=[None, 1, 1]), alternating_ratio=None)
    real = [key.index for batch in sampler for key in batch if key.index >= 20]
    assert abs(2 * sum(index >= 38 for index in real) - len(real)) <= 2


def test_epochs_seeds_and_shuffle_change_what_they_should():
    dataset = Sources([64], [64])
    assert build(dataset).batch(0, 0) != build(dataset).batch(1, 0)
    assert build(dataset).batch(0, 0) != build(dataset, seed=1).batch(0, 0)
    ordered = build(dataset, shuffle=False)
    assert [key.index for key in ordered.batch(0, 0) + ordered.batch(0, 2)] == list(range(6))


def test_iteration_follows_the_epoch_and_starts_in_the_middle_once():
    sampler = build(Sources([20], [20]))
    sampler.sampler.epoch = 3
    epoch = list(sampler)
    assert epoch == [sampler.batch(3, step) for step in range(len(sampler))]
    sampler.start_step = 5
    assert list(sampler) == epoch[5:]
    assert list(sampler) == epoch


@pytest.mark.parametrize('epoch, step', [(0, 0), (0, 999_999), (10**6, 500_000)])
def test_starting_anywhere_takes_the_work_of_one_batch(monkeypatch, epoch, step):
    served = []
    original = WeightedStream.serve

    def serve(self, slot):
        served.append(slot)
        return original(self, slot)

    sampler = build(Sources([20, 7], [20]), batches_per_epoch=10**6)
    sampler.sampler.epoch, sampler.start_step = epoch, step
    monkeypatch.setattr(WeightedStream, 'serve', serve)
    first = next(iter(sampler))
    # One call for each clip of the batch, and no more passes than the batch touches.
    assert len(served) == len(first) == sampler.batch_size
    assert len(sampler._permutations) <= 3
    assert first == sampler.batch(epoch, step)


@pytest.mark.parametrize('limit, expected', [(5, 5), (0.5, 7), (1000, 1000), (0.001, 1)])
def test_epochs_can_be_shortened(limit, expected):
    assert len(build(Sources([20], [20]), batches_per_epoch=limit)) == expected


def test_one_domain_alone_fills_all_batches():
    assert rhythm(build(Sources([7]), alternating_ratio=2)) == 'SSS'
    assert rhythm(build(Sources([], [7]), alternating_ratio=2)) == 'RRR'
    assert rhythm(build(Sources([7], [9]), alternating_ratio=0)) == 'SSS'


def test_a_sampler_can_be_pickled():
    sampler = build(Sources([20], [20]))
    sampler.batch(0, 0)
    copy = pickle.loads(pickle.dumps(sampler))
    assert list(copy) == list(sampler)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(batch_size=0), '`batch_size`'),
        (dict(alternating_ratio=-1), '`alternating_ratio`'),
        (dict(alternating_ratio=float('nan')), '`alternating_ratio`'),
        (dict(alternating_ratio=1e-6), '`alternating_ratio`'),
        (dict(batches_per_epoch=0), '`batches_per_epoch`'),
        (dict(batches_per_epoch=float('inf')), '`batches_per_epoch`'),
    ],
)
def test_impossible_options_are_named(options, message):
    with pytest.raises(ConfigError, match=message):
        build(Sources([5], [5]), **options)


def test_what_cannot_be_sampled_is_named():
    with pytest.raises(ConfigError, match='no clips'):
        build(Sources())
    with pytest.raises(ConfigError, match='MultiSourceDataset'):
        build([1, 2, 3])
    with pytest.raises(ConfigError, match='`seed`'):
        AlternatingMultiSourceSampler(SimpleNamespace(dataset=Sources([3])), 2)
