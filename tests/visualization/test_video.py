import cv2
import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError, ShapeError
from gvhmr_da_mm.visualization import (
    VideoReader,
    VideoWriter,
    ground_truth_track,
    prediction_track,
    write_motion_video,
)
from tests.video.videos import SIZE, set_pixel_aspect, write_video


def grey(level, height=50, width=70):
    return np.full((height, width, 3), level, np.uint8)


def test_frames_come_back_by_number(tmp_path):
    path = tmp_path / 'new' / 'grey.mp4'
    with VideoWriter(path, fps=25) as writer:
        for level in range(0, 200, 20):
            writer.write(grey(level))
    assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS) == pytest.approx(25)
    reader = VideoReader(path, start=2)
    for frame in (0, 1, 5, 3):
        assert reader(frame).mean() == pytest.approx(20 * (frame + 2), abs=6)
    assert reader(8) is None


def test_colours_are_not_swapped(tmp_path):
    red = grey(0)
    red[..., 0] = 220
    with VideoWriter(tmp_path / 'red.mp4') as writer:
        writer.write(red)
    mean = VideoReader(tmp_path / 'red.mp4')(0).mean(axis=(0, 1))
    assert mean[0] > 180 and mean[2] < 50


def test_pixels_that_are_not_square(tmp_path):
    path = write_video(tmp_path / 'wide.mp4', 3)
    set_pixel_aspect(path, 2, 1)
    assert VideoReader(path)(1).shape == (SIZE[1], 2 * SIZE[0], 3)


def test_odd_sizes_are_filled_up(tmp_path):
    with VideoWriter(tmp_path / 'odd.mp4') as writer:
        writer.write(grey(90, 51, 71))
    assert VideoReader(tmp_path / 'odd.mp4')(0).shape == (52, 72, 3)


def test_errors(tmp_path):
    with VideoWriter(tmp_path / 'a.mp4') as writer:
        writer.write(grey(1))
        with pytest.raises(ShapeError, match='50, 70'):
            writer.write(grey(1, 60))
    with pytest.raises(MissingFilesError, match='nothing.mp4'):
        VideoReader(tmp_path / 'nothing.mp4')
    (tmp_path / 'text.mp4').write_text('no video')
    with pytest.raises(DataError, match='text.mp4'):
        VideoReader(tmp_path / 'text.mp4')
    with pytest.raises(DataError, match='mp4'), VideoWriter(tmp_path / 'a.xyz') as writer:
        writer.write(grey(1))


def test_video_of_a_motion(make_sample, tmp_path, capsys):
    sample = make_sample()
    prediction, truth = prediction_track(sample), ground_truth_track(sample)
    options = dict(height=90, world_width=160)
    path = write_motion_video(
        tmp_path / 'motion.mp4', prediction, (120, 160), truth, progress=False, **options
    )
    reader = VideoReader(path)
    assert reader(0).shape == (90, 120 + 120 + 160, 3)
    assert reader(39) is not None and reader(40) is None
    assert np.abs(reader(0).astype(int) - reader(39)).mean() > 1
    assert capsys.readouterr().out == ''
    path = write_motion_video(tmp_path / 'b.mp4', prediction, (120, 160), height=90, world_width=0)
    assert VideoReader(path)(0).shape == (90, 120, 3)
    assert 'b.mp4' in capsys.readouterr().out
