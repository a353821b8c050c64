import pytest
import torch

from gvhmr_da_mm.models.refiners.overlapping_windows import cross_fade, overlapping_windows


@pytest.mark.parametrize('frames', [1, 30, 31, 59, 60, 61, 1000, 100_000])
def test_windows_of_about_one_length_share_frames_with_their_neighbours_alone(frames):
    windows = overlapping_windows(frames, longest=30, overlap=10)
    assert windows[0].start == 0 and windows[-1].stop == frames
    lengths = [window.stop - window.start for window in windows]
    assert max(lengths) <= 30 and max(lengths) - min(lengths) <= 1
    for before, after in zip(windows, windows[1:]):
        assert before.stop - after.start == 10
    for before, after in zip(windows, windows[2:]):
        assert before.stop <= after.start


def test_a_clip_of_the_greatest_length_is_one_window():
    assert overlapping_windows(30, longest=30, overlap=10) == [slice(0, 30)]
    assert len(overlapping_windows(31, longest=30, overlap=10)) == 2


def test_a_fade_passes_evenly_from_one_to_the_other():
    before, after = torch.zeros(2, 9), torch.ones(2, 9)
    passage = cross_fade(before, after)
    torch.testing.assert_close(passage, torch.arange(1, 10).expand(2, 9) / 10)
