"""Base of the metrics: selection and averaging of samples, and errors."""

import random

import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.evaluation import (
    CameraSpaceMetric,
    SequenceMetric,
    SkippedSequenceWarning,
    WorldSpaceMetric,
)
from gvhmr_da_mm.evaluation.metrics import sequence_metric
from tests.testing import run_ranks

ZEROS = dict(body_pose=69, betas=10, global_orient=3, transl=3)


class MeanX(SequenceMetric):
    """Needs no body model: the mean and the step of the predicted x."""

    space = 'camera'
    metric_names = ('x', 'step')
    pred_fields = ('transl_c',)

    def score(self, pred, target, gender, mask):
        x = pred['transl_c'][:, 0].double()
        step = x.diff() if gender == 'male' else torch.full_like(x, float('nan'))
        return {'x': x, 'step': step}


def make_sample(sequence, values, dataset='emdb1', mask=None, gender='male'):
    frames = len(values)
    transl = torch.zeros(frames, 3)
    transl[:, 0] = torch.as_tensor(values)
    label = {name: torch.zeros(frames, size) for name, size in ZEROS.items()}
    mask = torch.ones(frames, dtype=torch.bool) if mask is None else torch.tensor(mask)
    return dict(
        dataset=dataset,
        sequence=sequence,
        gender=gender,
        gt_instances=dict(**label, T_w2c=torch.eye(4).expand(frames, 4, 4), mask=mask),
        pred_instances=dict(transl_c=transl),
    )


def run(samples, **options):
    metric = MeanX('emdb1', **options)
    for sample in samples:
        metric.process(None, [sample])
    return metric.evaluate(len(samples)), metric


SAMPLES = [
    make_sample('a', [1.0, 2.0, 3.0]),
    make_sample('other', [100.0, 200.0], dataset='3dpw'),
    make_sample('b', [10.0]),
    make_sample('c', [0.0, 50.0], mask=[True, False]),
]


def test_each_frame_counts_once_and_foreign_samples_do_not():
    results, metric = run(SAMPLES)
    assert results == {'emdb1/x': 16 / 5, 'emdb1/step': 1.0}
    assert metric.per_sequence['a'] == dict(frames=3, x=2.0, step=1.0)
    assert set(metric.per_sequence) == {'a', 'b', 'c'}
    assert metric.results == []


@pytest.mark.parametrize('seed', range(3))
def test_the_order_of_the_samples_does_not_matter(seed):
    generator = torch.Generator().manual_seed(seed)
    samples = [make_sample(f's{i}', torch.rand(7, generator=generator)) for i in range(20)]
    expected, _ = run(samples)
    random.Random(seed).shuffle(samples)
    assert run(samples)[0] == expected


def test_repeated_sequences_count_once():
    assert run([*SAMPLES, SAMPLES[0]])[0] == run(SAMPLES)[0]


def test_windows_of_one_sequence_are_not_repetitions():
    first, second = make_sample('a', [1.0]), make_sample('a', [3.0])
    first.update(start=0, end=1)
    second.update(start=1, end=2)
    assert run([first, second])[0]['emdb1/x'] == 2


def test_sequences_without_a_valid_frame_are_named_and_left_out():
    with pytest.warns(SkippedSequenceWarning, match='dark is left out: no valid frame'):
        results, metric = run([*SAMPLES, make_sample('dark', [7.0], mask=[False])])
    assert results == run(SAMPLES)[0]
    assert metric.skipped_sequences == {'dark': 'no valid frame'}


def test_sequences_without_labels_are_counted_once_and_not_scored(monkeypatch):
    logged = []
    monkeypatch.setattr(sequence_metric, 'print_log', lambda text, **_: logged.append(text))
    unlabelled = [make_sample(name, [7.0]) for name in ('new', 'newer')]
    for sample in unlabelled:
        del sample['gt_instances']
    results, metric = run([*SAMPLES, *unlabelled])
    assert sum('2 sequence(s)' in text and "'new'" in text for text in logged) == 1
    assert results == run(SAMPLES)[0]
    assert metric.skipped_sequences == dict(new='no labels', newer='no labels')
    assert run(unlabelled)[0] == {}


def test_undefined_values_are_left_out_of_their_own_mean_only():
    samples = [*SAMPLES, make_sample('still', [5.0, 5.0], gender='female')]
    with pytest.warns(SkippedSequenceWarning, match='still is left out: step is not defined'):
        results, _ = run(samples)
    assert results == {'emdb1/x': 26 / 7, 'emdb1/step': 1.0}
    published, metric = run(samples, compat='published')
    assert published['emdb1/step'] != published['emdb1/step']
    assert not metric.skipped_sequences


def test_a_value_no_sequence_defines_is_nan():
    results, _ = run([make_sample('b', [10.0])])
    assert results['emdb1/x'] == 10 and results['emdb1/step'] != results['emdb1/step']


def test_an_absent_dataset_is_announced():
    with pytest.warns(SkippedSequenceWarning, match="no valid frame of dataset 'emdb1'"):
        results, _ = run([SAMPLES[1]])
    assert results == {}


def broken(change):
    sample = make_sample('a', [1.0, 2.0])
    change(sample)
    return sample


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda s: s.pop('pred_instances'), r"\['transl_c'\] in `pred_instances`"),
        (lambda s: s['gt_instances'].pop('mask'), r"'a' should have \['mask'\]"),
        (lambda s: s['pred_instances'].update(transl_c=torch.zeros(3, 3)), '2 frames.*got 3'),
        (lambda s: s['pred_instances']['transl_c'].fill_(torch.inf), 'not finite'),
        (lambda s: s.pop('gender'), '`gender`'),
    ],
)
def test_bad_samples_are_named(change, message):
    with pytest.raises(DataError, match=message):
        MeanX('emdb1').process(None, [broken(change)])


@pytest.mark.parametrize(
    'kind, options, message',
    [
        (CameraSpaceMetric, {}, '`dataset` or `protocol`'),
        (CameraSpaceMetric, dict(dataset='emdb2'), 'world space'),
        (WorldSpaceMetric, dict(protocol='3dpw'), 'camera space'),
        (CameraSpaceMetric, dict(dataset='emdb'), "one of .*'emdb1'"),
        (CameraSpaceMetric, dict(dataset='emdb1', compat='old'), '`compat`'),
        (CameraSpaceMetric, dict(dataset='emdb1', frames_per_chunk=0), '`frames_per_chunk`'),
    ],
)
def test_bad_arguments_are_refused(kind, options, message):
    with pytest.raises(ConfigError, match=message):
        kind(**options)


def _rank(rank, folder):
    """Score every other sample, with the first one repeated to even the ranks out."""
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=2
    )
    samples = [*SAMPLES, make_sample('d', [8.0, 9.0])]
    metric = MeanX('emdb1', collect_dir=f'{folder}/gather')
    for sample in [*samples, samples[0]][rank::2]:
        metric.process(None, [sample])
    torch.save(metric.evaluate(len(samples)), f'{folder}/{rank}.pt')
    torch.distributed.destroy_process_group()


def test_two_processes_agree_with_one(tmp_path):
    run_ranks(_rank, str(tmp_path))
    expected, _ = run([*SAMPLES, make_sample('d', [8.0, 9.0])])
    for rank in range(2):
        assert torch.load(tmp_path / f'{rank}.pt') == expected
