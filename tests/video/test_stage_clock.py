import time

import pytest

from gvhmr_da_mm.video.stage_clock import StageClock


@pytest.fixture
def now(monkeypatch):
    """Return a list whose only item is the time, in s."""
    clock = [0.0]
    monkeypatch.setattr(time, 'perf_counter', lambda: clock[0])
    return clock


def test_time_of_inner_stages_is_theirs(now):
    clock = StageClock()

    def slow(seconds):
        now[0] += seconds
        return seconds

    def frames():
        for _ in range(3):
            now[0] += 1
            yield now[0]

    with clock.measure('detect'):
        gyro = clock.timed('gyro', slow)
        for _ in clock.iterate('decode', frames(), 3):
            now[0] += 10
            assert gyro(100) == 100
    now[0] += 1000  # outside of all stages
    with pytest.raises(ValueError), clock.measure('draw'):
        now[0] += 5
        raise ValueError
    assert clock.seconds == dict(detect=30, gyro=300, decode=3, draw=5)


def test_progress_is_reported():
    told = []
    clock = StageClock(lambda *values: told.append(values))
    assert list(clock.iterate('decode', 'ab', shown='detect')) == ['a', 'b']
    assert told == [('detect', n, None) for n in range(3)] + [('detect', 2, 2)]
    clock.reuse('draw')
    clock.reuse('draw')
    assert told[-1] == ('draw', 1, 1) and clock.reused == ['draw']
