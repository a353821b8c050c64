import pytest

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine.hooks.confidence_threshold_hook import ConfidenceThresholdHook
from gvhmr_da_mm.engine.hooks.selection_rate_hook import SelectionRateHook


def warned(messages):
    return [message for message in messages if 'Not one pseudo-label' in message]


def test_warns_once_with_the_remedy(run, toy, warnings_of):
    run([ConfidenceThresholdHook(), SelectionRateHook()], toy(rates=[0.0] * 9))
    (message,) = warned(warnings_of)
    assert 'epoch 1' in message and 'threshold is 0.6' in message
    assert 'model.confidence_calibration' in message


def test_one_chosen_sample_is_enough(run, toy, warnings_of):
    run([SelectionRateHook()], toy(rates=[0.0, 0.0, 0.1] * 3))
    assert not warned(warnings_of)


def test_each_epoch_counts_by_itself(run, toy, warnings_of):
    run([SelectionRateHook()], toy(rates=[0.5, 0.5, 0.5, 0.0, 0.0, 0.0]), epochs=2)
    (message,) = warned(warnings_of)
    assert 'epoch 2' in message


def test_epochs_without_real_batches_do_not_count(run, toy, warnings_of):
    run([SelectionRateHook()], toy(rates=[]))
    run([SelectionRateHook()], toy(rates=[0.5] * 3))
    assert not warned(warnings_of)


def test_old_zeros_do_not_count_after_resuming(run, toy, warnings_of):
    run([SelectionRateHook()], toy(rates=[0.0] * 3), epochs=1)
    assert len(warned(warnings_of)) == 1
    warnings_of.clear()
    run([SelectionRateHook()], toy(rates=[]), epochs=2, resume=True)
    assert not warned(warnings_of)


def test_iteration_based_loop(run, toy, warnings_of):
    run([SelectionRateHook(interval=4)], toy(rates=[0.5] * 2 + [0.0] * 4), iters=12)
    (message,) = warned(warnings_of)
    assert '4 iterations' in message and '2 times' in message


def test_impossible_interval():
    with pytest.raises(ConfigError, match='interval'):
        SelectionRateHook(interval=0)
