"""The window rule, checked frame by frame."""

import pytest
import torch

from gvhmr_da_mm.models.layers import KeyWindow


def _visible(frame, num_frames, max_len, length):
    """Return the keys that the specification lets a frame see."""
    low, high = 0, num_frames
    if num_frames > max_len:
        low = min(num_frames - max_len, max(0, frame - max_len // 2))
        high = max(max_len, min(num_frames, frame + max_len // 2))
    return [key for key in range(low, high) if key < length]


@pytest.mark.parametrize('max_len', [2, 3, 8, 9])
@pytest.mark.parametrize('extra', [-1, 0, 1, 5])
@pytest.mark.parametrize('times', [1, 4])
def test_follows_the_specification(max_len, extra, times):
    num_frames = times * max_len + extra
    lengths = [num_frames, max(num_frames - 1, 1), max(num_frames // 2, 1), 1]
    window = KeyWindow.build(num_frames, max_len, torch.tensor(lengths))
    for sample, length in enumerate(lengths):
        for frame in range(num_frames):
            keys = window.mask[sample, 0, frame].nonzero()[:, 0].tolist()
            expected = _visible(frame, num_frames, max_len, length)
            if not expected:
                assert frame >= length, 'only padding may see nothing'
                expected = list(range(max(length - max_len, 0), length))
            assert keys == expected


def test_bounds_describe_the_mask():
    window = KeyWindow.build(30, 8, torch.tensor([30, 4, 0]))
    assert (window.low < window.high).all()
    assert torch.equal(window.mask.sum(-1)[:, 0], window.high - window.low)


def test_nothing_to_hide_needs_no_mask():
    assert KeyWindow.build(8, 8) is None
    assert KeyWindow.build(9, 8).low.shape == (1, 9)
