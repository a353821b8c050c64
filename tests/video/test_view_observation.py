"""Observation of the video of a camera, kept in a file."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.video import observe as observe_module
from gvhmr_da_mm.video import view_observation
from gvhmr_da_mm.video.calibrated_views import View
from gvhmr_da_mm.video.detectors import Detections
from gvhmr_da_mm.video.view_observation import observe_view
from tests.video.people import walking
from tests.video.videos import write_video

FRAMES = 70
VIEW = View('cam', np.array([[90.0, 0, 48], [0, 90, 32], [0, 0, 1]]), np.eye(3), np.zeros(3))


class Detector:
    """Sees a walker with 3D joints at the frame's number, and nobody in frame 8."""

    needs_images = True
    calls = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def __call__(self, image, number):
        Detector.calls += 1
        if number == 8:
            return Detections.none()
        box = np.array([[10.0 + number / 2, 10, 40 + number / 2, 60]])
        keypoints = walking(FRAMES)[number][None]
        return Detections(box, keypoints, joints=np.full((1, 17, 3), float(number)))


@pytest.fixture
def observe(tmp_path, monkeypatch):
    video = write_video(tmp_path / 'cam.mp4', FRAMES, fps=60, pictures=noise())
    monkeypatch.setattr(view_observation, 'build_detector', lambda *args: Detector())
    Detector.calls = 0
    return lambda: observe_view(video, VIEW, tmp_path / 'seen' / 'cam.npz')


def noise():
    """Pictures of a still scene with much to track."""
    scene = np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8)
    return [scene] * FRAMES


def test_frames_at_30_per_second(observe):
    seen = observe()
    assert Detector.calls == len(seen.plan) == FRAMES // 2
    assert seen.rotation.static and seen.rotation.R_w2c.shape == (35, 3, 3)
    np.testing.assert_allclose(seen.joints()[[3, 6], 0, 0], [6, 12])
    assert np.isnan(seen.joints()[4]).all() and not seen.keypoints()[4].any()
    clip = seen.clip()
    assert clip.start == 0 and len(clip) == 35 and not clip.observed[4]


def test_frames_between_are_interpolated(tmp_path, monkeypatch):
    video = write_video(tmp_path / 'cam.mp4', FRAMES, fps=24, pictures=noise())
    monkeypatch.setattr(view_observation, 'build_detector', lambda *args: Detector())
    seen = observe_view(video, VIEW, tmp_path / 'cam.npz')
    np.testing.assert_allclose(seen.joints()[[1, 2, 5], 0, 0], [0.8, 1.6, 4], atol=1e-9)
    hidden = np.isnan(seen.joints()[:, 0, 0])
    np.testing.assert_array_equal(hidden, ~seen.keypoints()[..., 2].any(axis=1))
    assert np.flatnonzero(hidden).tolist() == [9, 10, 11]


def test_the_next_run_reads_what_was_seen(observe, tmp_path):
    first = observe()
    calls = Detector.calls
    second = observe()
    assert Detector.calls == calls
    np.testing.assert_array_equal(first.keypoints(), second.keypoints())
    np.testing.assert_array_equal(first.joints(), second.joints())
    np.testing.assert_array_equal(first.clip().kp2d, second.clip().kp2d)


def test_changes_of_scene_are_kept(observe, monkeypatch):
    class Cuts:
        """Sure of frame 5, and in doubt about frame 9."""

        frame = -1

        def __call__(self, image):
            self.frame += 1
            return SimpleNamespace(sure=self.frame == 5, possible=self.frame in (5, 9))

    monkeypatch.setattr(observe_module, 'SceneCuts', Cuts)
    for seen in (observe(), observe()):
        assert [n for n, people in enumerate(seen.frames) if people.new_scene] == [5]
        assert [n for n, people in enumerate(seen.frames) if people.maybe_new_scene] == [5, 9]
        assert seen.cuts() == [5]


@pytest.mark.parametrize('change', ['video', 'file'])
def test_changed_videos_and_damaged_files_are_seen_again(observe, tmp_path, change):
    observe()
    calls = Detector.calls
    if change == 'video':
        os.utime(tmp_path / 'cam.mp4', (1, 1))
    else:
        (tmp_path / 'seen' / 'cam.npz').write_bytes(b'PK')
    observe()
    assert Detector.calls == 2 * calls


def test_a_video_that_is_missing(tmp_path):
    with pytest.raises(MissingFilesError, match='nothing.mp4'):
        observe_view(tmp_path / 'nothing.mp4', VIEW, tmp_path / 'cam.npz')
