import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gvhmr_da_mm.datasets.windows import draw_window, num_windows, pad_frames


@given(
    start=st.integers(0, 500),
    length=st.integers(1, 400),
    limits=st.tuples(st.integers(1, 150), st.integers(0, 100)),
    seed=st.integers(0, 2**32),
)
def test_a_window_lies_in_the_clip_and_has_an_allowed_length(start, length, limits, seed):
    low, high = limits[0], sum(limits)
    first, last = draw_window(start, start + length, low, high, np.random.default_rng(seed))
    assert start <= first < last <= start + length
    assert last - first == length if length <= low else low <= last - first <= min(high, length)


def test_windows_cover_all_lengths_and_both_ends():
    rng = np.random.default_rng(0)
    windows = [draw_window(5, 10, 2, 4, rng) for _ in range(300)]
    assert {last - first for first, last in windows} == {2, 3, 4}
    assert {first for first, _ in windows} == {5, 6, 7, 8}
    assert max(last for _, last in windows) == 10


@pytest.mark.parametrize('length, expected', [(1, 1), (119, 1), (239, 1), (240, 2), (480, 4)])
def test_long_clips_are_listed_often(length, expected):
    assert num_windows(length, 120) == expected


def test_padding_repeats_the_last_frame():
    frames = dict(
        a=torch.arange(6.0).reshape(3, 2), b=torch.arange(3), c=torch.eye(2).expand(3, 2, 2)
    )
    padded = pad_frames(frames, 5)
    for name, value in frames.items():
        assert torch.equal(padded[name][:3], value)
        assert torch.equal(padded[name][3:], value[[2, 2]])
        assert padded[name].is_contiguous()
    assert pad_frames(frames, 3) is frames
    assert pad_frames({}, 3) == {}
