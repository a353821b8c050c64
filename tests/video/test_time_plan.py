import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.video.time_plan import plan_times, planned_items


@pytest.mark.parametrize('offset', [0, 5.3])
def test_thirty_frames_a_second_stay(offset):
    plan = plan_times(offset + np.arange(100) / 30)
    np.testing.assert_array_equal(plan.lower, np.arange(100))
    np.testing.assert_array_equal(plan.upper, np.arange(100))
    assert not plan.missing.any()


def test_sixty_take_every_other():
    plan = plan_times(np.arange(61) / 60)
    np.testing.assert_array_equal(plan.lower, 2 * np.arange(31))
    np.testing.assert_array_equal(plan.used, 2 * np.arange(31))


def test_twenty_five_are_interpolated():
    times = np.arange(26) / 25
    plan = plan_times(times)
    assert len(plan) == 31
    np.testing.assert_allclose(plan.interpolate(times), np.arange(31) / 30, atol=0.1 / 30)
    np.testing.assert_allclose(
        plan.interpolate(np.tile(times[:, None], (1, 2)))[:, 1], np.arange(31) / 30, atol=0.1 / 30
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.005, 0.06), min_size=2, max_size=40))
def test_a_linear_motion_keeps_its_speed(steps):
    times = np.cumsum(steps)
    plan = plan_times(times)
    wanted = times[0] + np.arange(len(plan)) / 30
    assert np.abs(plan.interpolate(times) - wanted).max() <= 0.1 / 30 + 1e-9
    assert 0 <= times[-1] - wanted[-1] + 0.1 / 30 <= 1.2 / 30


def test_frames_that_are_not_there_are_told():
    times = np.delete(np.arange(40) / 30, range(10, 15))
    plan = plan_times(times)
    np.testing.assert_array_equal(np.flatnonzero(plan.missing), range(10, 15))
    seen = plan.both(np.ones(len(times), bool))
    np.testing.assert_array_equal(seen, ~plan.missing)


def test_both_neighbours_have_to_be_seen():
    plan = plan_times(np.arange(26) / 25)
    seen = np.ones(26, bool)
    seen[3] = False
    unseen = np.flatnonzero(~plan.both(seen))
    np.testing.assert_array_equal(unseen, [3, 4])


def test_single_frame():
    assert len(plan_times(np.array([3.0]))) == 1


@pytest.mark.parametrize('times', [[], [0.0, 0.1, 0.1], [0.2, 0.1]])
def test_impossible_times(times):
    with pytest.raises(DataError):
        plan_times(np.array(times))


@pytest.mark.parametrize(
    'times',
    [
        np.arange(90) / 30,
        np.arange(181) / 60,
        np.arange(75) / 25,
        np.arange(90) / 29.97 + 7,
        np.arange(90) / 30 + np.tile([0, 0.004, -0.004], 30),
        np.cumsum(np.tile([1, 1, 2, 40, 1], 12)) / 30,
        np.cumsum(np.random.default_rng(0).uniform(1e-3, 0.1, 200)),
        np.array([3.0]),
        np.array([0, 1 / 30 - 0.001]),
    ],
    ids=str,
)
def test_frames_are_planned_while_times_are_read(times):
    read = 0

    def timed():
        nonlocal read
        for number, time in enumerate(times):
            read = number + 1
            yield time, f'picture {number}'

    found = []
    for number, item in planned_items(timed()):
        assert item == f'picture {number}' and read <= number + 2
        found.append(number)
    assert found == plan_times(times).used.tolist()
