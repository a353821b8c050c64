import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine import LogHistoryHook, SelectionRateHook


def lengths(runner):
    return {name: len(buffer.data[0]) for name, buffer in runner.message_hub.log_scalars.items()}


def test_only_the_last_values_are_kept(run, toy):
    runner = run([LogHistoryHook(max_length=5)], toy(rates=[0.1 * i for i in range(9)]))
    assert set(lengths(runner).values()) == {5}
    rates = runner.message_hub.get_scalar('train/selection_rate').data[0]
    assert rates == pytest.approx([0.4, 0.5, 0.6, 0.7, 0.8])


def test_without_it_all_are_kept(run, toy):
    assert lengths(run([], toy(rates=[0.5] * 9)))['train/selection_rate'] == 9


def test_a_longer_history_of_a_checkpoint_is_cut(run, toy):
    run([], toy(rates=[0.5] * 9))
    runner = run([LogHistoryHook(max_length=4)], toy(rates=[0.5] * 3), epochs=4, resume=True)
    assert lengths(runner)['train/selection_rate'] == 4


def test_checkpoints_hold_no_more(run, toy):
    runner = run([LogHistoryHook(max_length=3)], toy(rates=[0.5] * 9))
    saved = torch.load(f'{runner.work_dir}/epoch_3.pth', weights_only=False)['message_hub']
    assert {len(buffer.data[0]) for buffer in saved['log_scalars'].values()} == {3}


def test_the_selection_rate_is_watched_beyond_the_bound(run, toy, warnings_of):
    rates = [0.0, 0.5, 0.0] + [0.0] * 3
    run([LogHistoryHook(max_length=1), SelectionRateHook()], toy(rates=rates), epochs=2)
    (message,) = [text for text in warnings_of if 'No pseudo-label was selected' in text]
    assert 'epoch 2' in message and '3 times' in message


@pytest.mark.parametrize(
    'window, warned', [('epoch', True), ('global', True), (7, True), (2, False)]
)
def test_windows_that_are_too_long_are_named(run, toy, warnings_of, window, warned):
    entry = dict(data_src='selection_rate', method_name='mean', window_size=window)
    log_processor = dict(type='LogProcessor', custom_cfg=[dict(entry, log_name='mean_rate')])
    run([LogHistoryHook(max_length=3)], toy(rates=[0.5] * 9), log_processor=log_processor)
    assert any("averages 'selection_rate'" in text for text in warnings_of) == warned


def test_an_impossible_length():
    with pytest.raises(ConfigError, match='max_length'):
        LogHistoryHook(max_length=0)
