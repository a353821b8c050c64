import pytest

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine.hooks.confidence_threshold_hook import ConfidenceThresholdHook
from gvhmr_da_mm.engine.hooks.selection_rate_hook import SelectionRateHook


def warned(messages):
    return [message for message in messages if 'No pseudo-label was selected' in message]


def test_warns_once_with_the_remedy(run, toy, warnings_of):
    run([ConfidenceThresholdHook(), SelectionRateHook()], toy(rates=[0.0] * 9))
    (message,) = warned(warnings_of)
    assert 'epoch 1' in message and 'threshold is 0.4' in message
    assert 'model.critic.calibrator.mode' in message


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


def jumps(messages):
    return [message for message in messages if 'Every real clip was selected' in message]


def test_a_rate_of_one_for_an_epoch_is_told_once(run, toy, warnings_of):
    hooks = [ConfidenceThresholdHook(interval=1), SelectionRateHook(min_batches=3)]
    run(hooks, toy(rates=[0.5, 0.5, 0.5, *[1.0] * 6]))
    (message,) = jumps(warnings_of)
    assert 'epoch 2' in message and 'in all 3 real batches' in message
    assert 'threshold is 0.45' in message and 'it has jumped' in message


def test_a_rate_of_one_in_few_batches_or_without_a_threshold_is_fine(run, toy, warnings_of):
    run([SelectionRateHook(min_batches=4)], toy(rates=[1.0] * 9))
    run([SelectionRateHook(min_batches=3)], toy(rates=[1.0, 0.9, 1.0] * 3))
    zero = ConfidenceThresholdHook(start=0.0, end=0.0)
    run([zero, SelectionRateHook(min_batches=3)], toy(rates=[1.0] * 9))
    assert not jumps(warnings_of)


def test_a_collapse_is_told_as_one(run, toy, warnings_of):
    run([SelectionRateHook()], toy(rates=[0.5] * 3 + [0.0] * 3), epochs=2)
    (message,) = warned(warnings_of)
    assert 'the threshold rose, or the confidence fell' in message
