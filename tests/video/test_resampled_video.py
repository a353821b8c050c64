from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError
from gvhmr_da_mm.structures import MotionDump
from gvhmr_da_mm.video.resampled_video import ResampledVideo, open_video_of
from tests.video.videos import SIZE, square, write_video


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


def dump_of(frames, height=SIZE[1], width=SIZE[0], start=0):
    sample = PoseDataSample(metainfo=dict(img_shape=(height, width), start=start))
    sample.pred_instances = InstanceData(body_pose=torch.zeros(frames, 63))
    return MotionDump(sample, {}, Path('walk.npz'))


def test_the_video_of_a_dump(tmp_path):
    path = write_video(tmp_path / 'a.mp4', 20)
    assert open_video_of(path, dump_of(12, start=8)).start == 8
    # A copy of half the size is the same video.
    assert len(open_video_of(path, dump_of(20, 2 * SIZE[1], 2 * SIZE[0]))) == 20
    with pytest.raises(ConfigError, match='96 x 64, but walk.npz is of a video of 64 x 96'):
        open_video_of(path, dump_of(20, *SIZE))
    with pytest.raises(ConfigError, match='20 frames at 30 per second.* of frames 8 to 28'):
        open_video_of(path, dump_of(20, start=8))


def test_images_of_a_dump(tmp_path):
    for t in range(4):
        cv2.imwrite(str(tmp_path / f'{t}.png'), square(t)[..., ::-1])
    video = open_video_of(tmp_path, dump_of(4))
    assert [left_edge(video(t)) for t in range(4)] == [0, 4, 8, 12]


def test_no_video(tmp_path):
    with pytest.raises(MissingFilesError):
        ResampledVideo(tmp_path / 'none.mp4')
