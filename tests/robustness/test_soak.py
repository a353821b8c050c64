"""What compares runs would notice a difference."""

import json
import random
from collections import Counter

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from tests.robustness.soak import KINDS, SIGNALS, differences, final_state, logged_values
from tests.robustness.soak.interruption import draw


def write(folder, weight=1.0, loss=(0.5, 0.25), step=3, time=0.1):
    folder.mkdir()
    hub = dict(
        log_scalars={
            'train/loss': HistoryBuffer(list(loss), [1] * len(loss)),
            'train/time': HistoryBuffer([time], [1]),
        },
        runtime_info=dict(cfg=str(folder), eta=time, streaks={'real': 1}),
    )
    content = dict(
        meta=dict(epoch=1, iter=4, seed=0, time='now'),
        state_dict=dict(weight=torch.tensor([weight, torch.nan])),
        optimizer=dict(state={0: dict(step=step)}),
        training_state=dict(random_states=[dict(numpy=np.arange(3))]),
        message_hub=hub,
    )
    torch.save(content, folder / 'epoch_1.pth')
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
    return final_state(folder)


def test_the_same_but_for_the_clock(tmp_path):
    one, other = write(tmp_path / 'a'), write(tmp_path / 'b', time=0.2)
    assert differences(one, other) == []


@pytest.mark.parametrize(
    'change, name',
    [
        (dict(weight=1.0 + 2**-20), 'state_dict.weight'),
        (dict(loss=(0.5, 0.26)), 'log.train/loss'),
        (dict(loss=(0.5, 0.25, 0.25)), 'log.train/loss'),
        (dict(step=4), 'optimizer.state.0.step'),
    ],
)
def test_one_bit_is_a_difference(tmp_path, change, name):
    assert differences(write(tmp_path / 'a'), write(tmp_path / 'b', **change)) == [name]


def test_what_is_missing_is_a_difference():
    assert differences(dict(a=None, b=1), dict(b=1, c=2)) == ['a', 'c']


def log(folder, *lines):
    (folder / 'vis_data').mkdir(parents=True)
    (folder / 'vis_data' / 'scalars.json').write_text('\n'.join(lines))


def test_logs_of_all_parts_are_read_as_one(tmp_path):
    entries = [dict(loss=1 / step, iter=step, step=step, time=0.1) for step in (1, 2, 3)]
    first, second, third = map(json.dumps, entries)
    log(tmp_path / 'whole' / '1', first, second, third)
    # The second step was trained twice; the log of the third was cut off.
    log(tmp_path / 'parts' / '1', first, second, third[:9])
    log(tmp_path / 'parts' / '2', second.replace('0.1', '0.3'), third)
    whole, parts = (logged_values(tmp_path / name) for name in ('whole', 'parts'))
    assert len(whole) == 3 and differences(whole, parts) == []
    log(tmp_path / 'parts' / '3', json.dumps(dict(loss=0.51, iter=2, step=2)))
    assert differences(whole, logged_values(tmp_path / 'parts')) == ["('train', 2)"]


def test_every_kind_and_signal_is_drawn():
    rng = random.Random(0)
    drawn = [draw(rng, start=1.0, whole=5.0, steps=20) for _ in range(400)]
    assert {one.kind for one in drawn} == set(KINDS)
    assert set(Counter(one.signal for one in drawn if one.kind == 'anywhere')) == set(SIGNALS)
    assert all(one.delay < 1 for one in drawn if one.kind == 'start')
    assert all(1 <= one.delay <= 5 for one in drawn if one.kind == 'anywhere')
    # What has to happen at one instruction is not left to a signal that waits.
    assert {one.signal for one in drawn if one.kind in ('write', 'replace')} == {'SIGKILL'}
