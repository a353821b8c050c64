import numpy as np
import pytest

from gvhmr_da_mm.apis.video_adaptation.stretches import split_frames, unfit
from tests.video.people import walking


def boxes(frames, size=30.0):
    return np.tile((20.0, 25.0, size), (frames, 1))


@pytest.mark.parametrize('frames', [60, 61, 149, 150, 310, 1800])
def test_every_frame_is_in_one_stretch_and_some_are_held_out(frames):
    stretches = list(split_frames(frames))
    ends = [0, *(end for _, end, _ in stretches)]
    assert [start for start, _, _ in stretches] == ends[:-1] and ends[-1] == frames
    kinds = [held_out for _, _, held_out in stretches]
    assert set(kinds) == {True, False}
    assert all(one != other for one, other in zip(kinds, kinds[1:])), 'neighbours are joined'
    assert min(end - start for start, end, _ in stretches) >= 30
    share = sum(end - start for start, end, held_out in stretches if held_out) / frames
    assert 0.2 <= share <= 0.51


def test_somebody_who_walks_is_used():
    assert unfit(walking(64), boxes(64)) == ''


def test_too_short():
    assert '59 frames are too short' in unfit(walking(59), boxes(59))


def test_nothing_is_confident():
    kp2d = walking(64)
    kp2d[..., 2] = 0.5
    assert 'confident in 0% of the frames; 50% are needed' in unfit(kp2d, boxes(64))
    kp2d[:32, :, 2] = 0.9
    assert unfit(kp2d, boxes(64)) == '', 'half of the frames are enough'
    kp2d[:32, 5:, 2] = 0.1
    assert 'confident in 0% of the frames' in unfit(kp2d, boxes(64)), 'five keypoints are too few'


def test_a_picture_that_is_repeated():
    still = np.repeat(walking(1), 64, axis=0)
    noise = 0.02 * np.random.default_rng(0).standard_normal((64, 17, 2))
    still[..., :2] += noise
    assert 'nothing moves' in unfit(still, boxes(64))
    still[:, 9, 0] += np.linspace(0, 3, 64)
    assert unfit(still, boxes(64)) == '', 'a hand that moves is a motion'


def test_keypoints_that_are_not_there_do_not_count():
    kp2d = walking(64)
    kp2d[::3] = np.nan
    kp2d[:, 9] = np.nan
    assert unfit(kp2d, boxes(64)) == ''
