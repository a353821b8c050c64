import numpy as np
import pytest

from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.video.resampled_video import ResampledVideo
from tests.video.videos import write_video


def left_edge(image):
    return int(np.argmax(image[20, :, 0] > 150))


def test_frames_of_sixty_a_second(tmp_path):
    video = ResampledVideo(write_video(tmp_path / 'a.mp4', 20, fps=60), start=1)
    assert len(video) == 9
    for frame in (0, 1, 2, 2, 7, 3):
        assert left_edge(video(frame)) == pytest.approx(8 * (frame + 1), abs=2)
    assert video(9) is None and video(-2) is None


def test_a_plain_video(tmp_path):
    video = ResampledVideo(write_video(tmp_path / 'a.mp4', 12))
    assert [left_edge(video(t)) for t in range(12)] == pytest.approx(4 * np.arange(12), abs=2)


def test_no_video(tmp_path):
    with pytest.raises(MissingFilesError):
        ResampledVideo(tmp_path / 'none.mp4')
