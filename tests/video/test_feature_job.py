"""Results of another detector or network are never taken for those of the present one."""

import numpy as np
import pytest

from gvhmr_da_mm.apis.inferencers import RecoverySettings
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.video.extract_features import extract_features
from gvhmr_da_mm.video.feature_job import FeatureJob
from gvhmr_da_mm.video.video_converter import VideoConverter
from tests.video.people import walking
from tests.video.videos import write_video

FRAMES = 36


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'videos').mkdir()
    write_video(tmp_path / 'videos' / 'a.mp4', FRAMES)
    np.savez(tmp_path / 'a.npz', kp2d=walking(FRAMES))
    (tmp_path / 'weights.pth').write_bytes(b'first')
    return tmp_path


@pytest.fixture
def no_network(monkeypatch):
    monkeypatch.setattr(FeatureJob, 'add_features', lambda self, clip, *args: clip)


def test_features_of_weights_that_were_written_over_are_made_again(folder, no_network):
    job = FeatureJob(keypoints=str(folder / 'a.npz'), checkpoint=str(folder / 'weights.pth'))
    converter = VideoConverter(folder / 'videos', job)
    (before,) = converter.sequences()
    assert extract_features(folder / 'videos', folder / 'out', job).written == 1
    assert extract_features(folder / 'videos', folder / 'out', job).skipped == 1
    (folder / 'weights.pth').write_bytes(b'the second')
    assert extract_features(folder / 'videos', folder / 'out', job).written == 1
    (after,) = converter.sequences()
    assert before.signature != after.signature


def test_detections_of_weights_that_were_written_over_are_made_again(folder):
    weights = folder / 'weights.pth'
    job = FeatureJob(keypoints='mmpose', detector=dict(pose2d='human', pose2d_weights=str(weights)))
    assert job.observation_files('a') == job.files('a') == [weights]

    class Source:
        path, files = folder / 'videos' / 'a.mp4', [folder / 'videos' / 'a.mp4']

    settings = RecoverySettings(job=job)
    before = settings.observation_signature(Source, 'a')
    weights.write_bytes(b'the second')
    assert settings.observation_signature(Source, 'a') != before


@pytest.mark.parametrize(
    'options, said',
    [(dict(max_poeple=2), "did you mean 'max_people'"), (dict(smooth='no'), 'True or False')],
)
def test_options_of_a_detector_are_checked_before_a_video_is_read(options, said):
    with pytest.raises(ConfigError, match=said):
        FeatureJob(detector=options).check()


def test_a_file_of_keypoints_has_no_options(folder):
    FeatureJob(keypoints=str(folder / 'a.npz')).check()
    with pytest.raises(ConfigError, match="'max_people': 2.*which has none: leave them out"):
        FeatureJob(keypoints=str(folder / 'a.npz'), detector=dict(max_people=2)).check()


def test_options_of_a_network_need_its_weights(folder):
    with pytest.raises(ConfigError, match='but no weights'):
        FeatureJob(keypoints=str(folder / 'a.npz'), network=dict(backbone={})).check()
