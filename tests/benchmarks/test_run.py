"""The benchmarks measure what they say, and their plain references do the same as we do."""

import mmap
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks.run import all_cases, as_table, choose
from benchmarks.speed import metrics, world
from benchmarks.speed.case import Case, Pair, Settings
from benchmarks.speed.measure import measure
from benchmarks.speed.network import PlainAttention, plain_mask
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.models.layers import KeyWindow, RotaryAttention, RotaryTable

SETTINGS = Settings(Path('nowhere'), quick=True)
KEYS = {'case', 'ours_s', 'plain_s', 'ratio', 'ours_mb', 'plain_mb', 'device'}


def _allocate(megabytes):
    # Fresh pages: a tensor may get memory that earlier tests have returned to the allocator.
    with mmap.mmap(-1, megabytes << 20) as held:
        for _ in range(megabytes):
            held.write(b'1' * 2**20)
        return torch.ones(1).sum()


def _row(build, **options):
    return measure(Case('one', build, **options), SETTINGS, threads=1, repeats=2)


def test_a_row():
    def build(settings):
        assert settings.quick
        return Pair(partial(_allocate, 30), lambda: (time.sleep(0.05), _allocate(90))[1])

    row = _row(build)
    assert set(row) == KEYS
    assert row['plain_s'] > 0.05 and row['ratio'] == row['plain_s'] / row['ours_s']
    assert 0 < row['ours_mb'] < 60 and row['ours_mb'] + 30 < row['plain_mb'] < 130


class _Event:
    def __init__(self, enable_timing):
        assert enable_timing

    def record(self):
        self.at = time.perf_counter()

    def elapsed_time(self, end):
        return 1e3 * (end.at - self.at)


def test_the_first_run_on_a_gpu_may_compile_and_does_not_count(monkeypatch):
    monkeypatch.setattr('benchmarks.speed.measure.LONG_S', 0.1)
    state = dict(calls=0, peak=0)

    def run():
        state['calls'] += 1
        state['peak'] = 5 * 2**20
        time.sleep(0.3 if state['calls'] == 1 else 0.0)

    for name, value in dict(
        Event=_Event,
        synchronize=lambda: None,
        reset_peak_memory_stats=lambda: state.update(peak=0),
        memory_allocated=lambda: 2**20,
        max_memory_allocated=lambda: state['peak'],
    ).items():
        monkeypatch.setattr(torch.cuda, name, value)
    settings = Settings(Path('nowhere'), device='cuda', quick=True)
    row = measure(Case('one', lambda _: Pair(run)), settings, threads=1, repeats=1)
    assert row['ours_s'] < 0.1 and row['ours_mb'] == 4 and row['plain_mb'] is None


def test_what_cannot_run_is_left_empty_with_the_reason():
    row = _row(lambda _: Pair(lambda: None, partial(torch.ones, 3000 * 2**18)), max_plain_gib=1)
    assert row['ours_s'] is not None and row['plain_s'] is row['ratio'] is row['plain_mb'] is None
    assert 'memory' in row['note']
    row = _row(lambda _: Pair(lambda: 1 / 0))
    assert row['ours_s'] is None and 'ZeroDivisionError' in row['note']


def test_different_results_are_not_compared():
    def check(ours, plain):
        assert ours == plain, 'they differ'

    assert 'they differ' in _row(lambda _: Pair(lambda: 1, lambda: 2, check))['note']


def test_cases_are_found_by_name():
    cases = all_cases()
    names = [case.name for case in cases]
    assert len(set(names)) == len(names)
    chosen = [case.name for case in choose(cases, 'inference,ik_4000', 'cpu')]
    assert chosen[0] == 'inference_120' and chosen[-1] == 'ik_4000'
    assert 'supervised_step_64' not in [case.name for case in choose(cases, '', 'cpu')]
    with pytest.raises(ConfigError, match='nothing'):
        choose(cases, 'nothing', 'cpu')
    row = dict.fromkeys(KEYS, 1.0) | dict(case='one', device='cpu', plain_s=None)
    assert as_table([row]).row_count == 1


@pytest.mark.parametrize('build', [world.rollout, world.static_joint, world.static_camera])
def test_plain_paths(build, monkeypatch):
    monkeypatch.setattr(world, 'QUICK_FRAMES', 80)
    pair = build(SETTINGS)
    pair.check(pair.ours(), pair.plain())


def test_plain_limbs(monkeypatch):
    monkeypatch.setattr(world, 'QUICK_FRAMES', 40)
    pair = world.limbs(SETTINGS)
    # Of two axes at right angles both means are the same; they never are quite.
    assert (pair.ours() - pair.plain()).abs().median() < 1e-3


def test_plain_metrics(monkeypatch):
    monkeypatch.setattr(metrics, 'FRAMES', 150)
    pair = metrics.joints(SETTINGS)
    pair.check(pair.ours(), pair.plain())


@pytest.mark.parametrize('length', [None, torch.tensor([90, 60])])
def test_plain_attention(length):
    torch.manual_seed(0)
    window = KeyWindow.build(90, 20, length)
    ours, plain = RotaryAttention(16, 2).eval(), PlainAttention(16, 2).eval()
    plain.load_state_dict(ours.state_dict())
    x, table = torch.randn(2, 90, 16), RotaryTable.build(90, 8, torch.float32, torch.device('cpu'))
    rows = plain_mask(window).any(dim=-1)[:, 0].expand(2, 90)
    torch.testing.assert_close(ours(x, table, window)[rows], plain(x, table, window)[rows])
