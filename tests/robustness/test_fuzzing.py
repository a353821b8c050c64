"""Spoiled packs and configs: a sample of the cases of ``tests/robustness/fuzz_packs.py``."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import DataError
from tests.robustness.fuzzing import FAILED, REFUSED, WORKS, config_cases, pack_cases
from tests.robustness.fuzzing.content_mutations import mutate_content
from tests.robustness.fuzzing.file_mutations import mutate_file
from tests.robustness.fuzzing.outcome import observe

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
PACKS, CONFIGS = 40, 120
SECONDS = 60
"""Limit of a case: nothing may hang, and a busy machine is slow."""


def failures(outcomes):
    return [f'{outcome.case}\n{outcome.detail}' for outcome in outcomes if outcome.kind == FAILED]


def test_spoiled_packs_work_or_are_refused_by_name(toy_root, tmp_path):
    outcomes = list(pack_cases(toy_root, tmp_path, PACKS, seed=5, seconds=SECONDS))
    assert failures(outcomes) == []
    assert len(outcomes) == PACKS
    assert {outcome.kind for outcome in outcomes} == {WORKS, REFUSED}


def test_spoiled_configs_work_or_are_refused_by_name(toy_root):
    outcomes = list(config_cases(CONFIG, toy_root, CONFIGS, seed=5, seconds=SECONDS))
    assert failures(outcomes) == []
    assert len(outcomes) == CONFIGS
    assert sum(outcome.kind == REFUSED for outcome in outcomes) > CONFIGS / 2


def test_cases_follow_the_seed(toy_root, tmp_path):
    for name in 'ab':
        (tmp_path / name).mkdir()
    first, again = (
        [o.case for o in pack_cases(toy_root, tmp_path / name, 4, seed=1, seconds=SECONDS)]
        for name in 'ab'
    )
    assert first == again


def raises(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize(
    'action, kind',
    [
        (lambda: None, WORKS),
        (raises(DataError('a.pt is damaged')), REFUSED),
        (raises(DataError('something is damaged')), FAILED),
        (raises(KeyError('a.pt')), FAILED),
        (raises(MemoryError()), FAILED),
    ],
)
def test_only_named_errors_of_ours_count_as_refusals(action, kind):
    assert observe('case', action, ('a.pt',), SECONDS).kind == kind


def test_what_hangs_is_stopped():
    def hang():
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                pass

    outcome = observe('case', hang, ('a',), 0.2)
    assert outcome.kind == FAILED and 'longer than 0.2 s' in outcome.detail


def test_content_is_changed_and_the_original_is_not():
    content = {'walk': {'boxes': torch.ones(4, 3), 'range': (0, 4), 'inner': {'name': 'a'}}}
    before = {'walk': {'boxes': torch.ones(4, 3), 'range': (0, 4), 'inner': {'name': 'a'}}}
    kinds = set()
    for seed in range(300):
        kinds.add(mutate_content(content, np.random.default_rng(seed)).what.split()[0])
    assert torch.equal(content['walk'].pop('boxes'), before['walk'].pop('boxes'))
    assert content == before
    assert kinds >= {'key', 'value', 'cast', 'filled', 'truncated', 'list', 'nested', 'zero'}


def test_files_are_damaged_in_many_ways(tmp_path):
    other = tmp_path / 'other'
    other.write_bytes(b'other')
    kinds = set()
    for seed in range(80):
        path = tmp_path / f'file{seed}'
        path.write_bytes(bytes(range(256)))
        kinds.add(mutate_file(path, [other], np.random.default_rng(seed)))
        assert not path.is_file() or path.read_bytes() != bytes(range(256))
    assert kinds >= {'truncate', 'flip bits', 'removed', 'emptied', 'a folder', 'another file'}
