"""Skipped clips of all ranks are counted, logged and listed."""

import json
from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import DataLoader

from gvhmr_da_mm.datasets import AlternatingMultiSourceSampler, BEDLAMDataset, MultiSourceDataset
from gvhmr_da_mm.engine import BadSampleHook
from tests.datasets import packs


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, line):
        self.lines.append(line)


@pytest.fixture
def runner(tmp_path):
    """Return what the hook reads of a runner: packs with a bad camera and a NaN at frame 33."""
    mids = packs.bedlam(tmp_path)

    def spoil(pack):
        pack[mids[0]]['trans'][33] = float('nan')
        pack[mids[1]]['cam_ext'] = pack[mids[1]]['cam_ext'] * 2

    packs.edit(tmp_path / 'BEDLAM/hmr4d_support/smplpose_v2.pth', spoil)
    dataset = MultiSourceDataset(dict(bedlam=BEDLAMDataset(tmp_path, on_bad_sample='skip')))
    loader = SimpleNamespace(dataset=dataset)
    return SimpleNamespace(
        train_dataloader=loader, log_dir=tmp_path / 'log', logger=Log(), mids=mids
    )


def report(runner):
    return json.loads((runner.log_dir / 'bad_samples.json').read_text())


def epoch(hook, runner, workers=0):
    sampler = SimpleNamespace(dataset=runner.train_dataloader.dataset, seed=0, epoch=0)
    batches = AlternatingMultiSourceSampler(sampler, batch_size=2)
    loader = DataLoader(
        sampler.dataset,
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=lambda items: dict(data_samples=[item['data_samples'] for item in items]),
    )
    for index, batch in enumerate(loader):
        hook.after_train_iter(runner, index, batch)
    hook.after_train_epoch(runner)


def test_what_is_left_out_is_told_at_the_start(runner):
    BadSampleHook().before_train(runner)
    assert '1 bad clip' in runner.logger.lines[0]
    (entry,) = report(runner)['left_out']
    assert entry['sequence'] == runner.mids[1] and '`R_w2c`' in entry['reason']
    assert report(runner)['replaced'] == []


@pytest.mark.parametrize('workers', [0, 1])
def test_what_is_replaced_is_told_after_the_epoch(runner, workers):
    hook = BadSampleHook()
    for number in (1, 2):
        epoch(hook, runner, workers)
        (entry,) = report(runner)['replaced']
        assert entry['sequence'] == runner.mids[0] and entry['draws'] == number
    assert '1 draw(s)' in runner.logger.lines[-1] and '`trans`' in runner.logger.lines[-1]


def test_the_count_goes_on_after_a_resume(runner):
    first, second = BadSampleHook(), BadSampleHook()
    epoch(first, runner)
    second.load_state_dict(first.state_dict())
    epoch(second, runner)
    assert report(runner)['replaced'][0]['draws'] == 2
    # The state is plain, so that a checkpoint with it is read safely.
    assert json.loads(json.dumps(first.state_dict())) == first.state_dict()


def test_nothing_is_written_where_nothing_is_bad(tmp_path):
    packs.bedlam(tmp_path)
    runner = SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=BEDLAMDataset(tmp_path)),
        log_dir=tmp_path / 'log',
        logger=Log(),
    )
    hook = BadSampleHook()
    hook.before_train(runner)
    hook.after_train_iter(runner, 0, dict(inputs=torch.zeros(1)))
    hook.after_train_iter(runner, 1, None)
    hook.after_train_epoch(runner)
    hook.after_train(runner)
    assert runner.logger.lines == [] and not runner.log_dir.exists()
