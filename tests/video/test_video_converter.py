import json
import os
import pickle

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError, StorageError
from gvhmr_da_mm.datasets import PackDataset
from gvhmr_da_mm.datasets.packs import SequencePack
from gvhmr_da_mm.datasets.sources.write_pack import write_pack
from gvhmr_da_mm.video import frame_source
from gvhmr_da_mm.video.extract_features import extract_features
from gvhmr_da_mm.video.feature_job import FeatureJob
from gvhmr_da_mm.video.video_camera import intrinsics_of
from gvhmr_da_mm.video.video_converter import VideoConverter
from tests.video.networks.published import BACKBONE, HEAD, weights_to_publish
from tests.video.people import walking
from tests.video.scenes import render, rotation, texture
from tests.video.test_visual_gyro import FPS
from tests.video.videos import SIZE, set_durations, set_rotation, ticks_per_second, write_video

FRAMES = 36


@pytest.fixture
def folder(tmp_path):
    """Two videos, and a folder with the keypoints of both."""
    videos, keypoints = tmp_path / 'videos', tmp_path / 'keypoints'
    (videos / 'sub').mkdir(parents=True)
    (keypoints / 'sub').mkdir(parents=True)
    for name in ('a', 'sub/b'):
        write_video(videos / f'{name}.mp4', FRAMES)
        np.savez(keypoints / f'{name}.npz', kp2d=walking(FRAMES))
    return tmp_path


def converter(folder, camera='static', observations=None, focal=None, **job):
    job = {'keypoints': str(folder / 'keypoints'), **job}
    return VideoConverter(folder / 'videos', FeatureJob(**job), camera, focal, observations)


def test_a_folder_becomes_a_pack_that_trains_and_predicts(folder):
    report = write_pack(converter(folder), folder / 'pack')
    assert (report.planned, report.written, report.failures) == (2, 2, [])
    pack = SequencePack(folder / 'pack')
    assert list(pack) == ['a', 'sub/b']
    entry = pack.entries['a']
    assert (entry.frames, entry.img_wh, entry.static_camera) == (FRAMES, SIZE, True)
    assert not (entry.has_features or entry.has_labels) and entry.has_keypoints
    focal = pack['a']['K_fullimg'][0, 0]
    assert focal == pytest.approx(np.hypot(*SIZE))
    for test_mode in (False, True):
        item = PackDataset(pack=str(folder / 'pack'), test_mode=test_mode)[0]
        assert not item['inputs']['has_imgfeat'] and item['inputs']['has_kp2d']
        np.testing.assert_allclose(
            item['inputs']['kp2d'][5], walking(FRAMES)[5], rtol=1e-5, atol=1e-5
        )
        assert 'gt_instances' not in item['data_samples']


def test_what_is_done_is_not_done_again(folder):
    write_pack(converter(folder), folder / 'pack')
    again = write_pack(converter(folder), folder / 'pack')
    assert (again.skipped, again.written) == (2, 0)
    os.utime(folder / 'videos' / 'a.mp4', (1, 1))
    assert write_pack(converter(folder), folder / 'pack').written == 1
    assert write_pack(converter(folder, focal='100'), folder / 'pack').written == 2


def test_other_keypoints_in_the_file_are_taken(folder):
    job = FeatureJob(keypoints=str(folder / 'keypoints'))
    assert extract_features(folder / 'videos', folder / 'out', job).written == 2
    np.savez(folder / 'keypoints' / 'a.npz', kp2d=walking(FRAMES, 50, 45))
    report = extract_features(folder / 'videos', folder / 'out', job)
    assert (report.written, report.skipped) == (1, 1)


def test_bad_videos_are_named_and_the_others_done(folder):
    videos = folder / 'videos'
    (videos / 'broken.mp4').write_bytes(b'half a download')
    write_video(videos / 'empty.mp4', FRAMES)
    nobody = walking(FRAMES)
    nobody[..., 2] = 0
    np.savez(folder / 'keypoints' / 'empty.npz', kp2d=nobody)
    write_video(videos / 'unknown.mp4', FRAMES)
    write_video(videos / 'other.mp4', FRAMES)
    np.savez(folder / 'keypoints' / 'other.npz', kp2d=walking(FRAMES - 1))
    report = write_pack(converter(folder), folder / 'pack')
    assert report.written == 2 and report.exit_code == 1
    failures = {f['id']: f for f in json.loads((folder / 'pack' / 'failures.json').read_text())}
    assert set(failures) == {'broken', 'empty', 'unknown', 'other'}
    assert 'OpenCV cannot open it' in failures['broken']['message']
    assert 'no person is seen' in failures['empty']['message']
    assert 'unknown.npz' in failures['unknown']['message']
    assert '35 frames, but 36' in failures['other']['message']
    np.savez(folder / 'keypoints' / 'unknown.npz', kp2d=walking(FRAMES))
    assert write_pack(converter(folder), folder / 'pack').written == 1


def test_two_people(folder):
    both = np.stack((walking(FRAMES), walking(FRAMES, 50, 45)))
    np.savez(folder / 'keypoints' / 'a.npz', kp2d=both)
    write_pack(converter(folder), folder / 'pack')
    fields = SequencePack(folder / 'pack')['a']
    np.testing.assert_allclose(fields['kp2d'][0], both[1, 0], rtol=1e-5)
    notes = SequencePack(folder / 'pack').entries['a'].extra['notes']
    assert any('2 tracks of people (36, 36 frames); kept: largest' in note for note in notes)


def test_rotation_and_variable_rate_are_honoured_and_told(folder):
    path = folder / 'videos' / 'a.mp4'
    steps = np.where(np.arange(FRAMES) % 3 == 0, 2, 1)
    set_durations(path, (steps * ticks_per_second(path) / 30).round().astype(int).tolist())
    set_rotation(path, 90)
    write_pack(converter(folder), folder / 'pack')
    entry = SequencePack(folder / 'pack').entries['a']
    assert entry.img_wh == SIZE[::-1]
    assert entry.frames == pytest.approx(steps.sum(), abs=2)
    notes = ' '.join(entry.extra['notes'])
    assert 'turned by 90 degrees' in notes and 'variable frame rate' in notes


def test_the_gyro_measures_the_camera(folder):
    background = texture()
    truth = [rotation(0, 20 * t / FPS, 0) for t in range(FRAMES)]
    pictures = [render(R, background) for R in truth]
    write_video(folder / 'videos' / 'a.avi', codec='MJPG', pictures=pictures)
    (folder / 'videos' / 'a.mp4').unlink()
    write_pack(converter(folder, 'gyro'), folder / 'pack', limit=1)
    fields = SequencePack(folder / 'pack')['a']
    assert not SequencePack(folder / 'pack').entries['a'].static_camera
    last = np.degrees(np.arccos((np.trace(fields['R_w2c'][-1].numpy()) - 1) / 2))
    assert last == pytest.approx(20 * (FRAMES - 1) / FPS, abs=1)


def count_decoded(monkeypatch):
    """Return a list that gets an entry for each decoded frame."""
    decoded = []
    grab = frame_source._grab
    monkeypatch.setattr(
        frame_source, '_grab', lambda capture: grab(capture) and not decoded.append(capture)
    )
    return decoded


@pytest.mark.parametrize('camera', ['gyro', 'static'])
def test_a_video_is_decoded_once(folder, monkeypatch, camera):
    decoded = count_decoded(monkeypatch)
    assert write_pack(converter(folder, camera), folder / 'pack').written == 2
    assert len(decoded) == 2 * (FRAMES + 1)


def test_features_decode_a_video_once_more(folder, tmp_path, monkeypatch):
    weights = tmp_path / 'hmr2.ckpt'
    torch.save({'state_dict': weights_to_publish()}, weights)
    network = dict(backbone=BACKBONE, head=HEAD)
    job = FeatureJob(str(folder / 'keypoints'), checkpoint=str(weights), network=network)
    decoded = count_decoded(monkeypatch)
    # The boxes of its crops are known when all people of the video are.
    assert extract_features(folder / 'videos', folder / 'out', job, limit=1).written == 1
    assert len(decoded) == 1 + 2 * FRAMES
    decoded.clear()
    made = converter(folder, 'gyro', observations=folder / 'out')
    assert write_pack(made, folder / 'pack', limit=1).written == 1
    assert len(decoded) == 1 + FRAMES


def test_rotations_of_a_folder(folder):
    (folder / 'cameras' / 'sub').mkdir(parents=True)
    truth = np.stack([rotation(0, t, 0) for t in range(FRAMES)])
    np.save(folder / 'cameras' / 'a.npy', truth)
    report = write_pack(converter(folder, str(folder / 'cameras')), folder / 'pack')
    np.testing.assert_allclose(SequencePack(folder / 'pack')['a']['R_w2c'], truth, atol=1e-6)
    (failure,) = report.failures
    assert failure.id == 'sub/b' and 'expected the file' in failure.message


def write_cameras(folder, **content):
    """Write camera files of a camera that moves along x in a z-up world, and return its poses."""
    T_w2c = np.tile(np.eye(4), (FRAMES, 1, 1))
    T_w2c[:, :3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]  # Looks along +y.
    centres = np.stack((np.arange(FRAMES) / 10, np.full(FRAMES, -4), np.full(FRAMES, 1.5)), axis=1)
    T_w2c[:, :3, 3] = -np.einsum('fij,fj->fi', T_w2c[:, :3, :3], centres)
    (folder / 'cameras' / 'sub').mkdir(parents=True)
    for name in ('a', 'sub/b'):
        np.savez(folder / 'cameras' / f'{name}.npz', T_w2c=T_w2c, **content)
    return T_w2c


def test_poses_of_a_stated_world_are_kept_with_y_up(folder):
    K = np.array([[90.0, 0, 40], [0, 91, 30], [0, 0, 1]])
    T_w2c = write_cameras(folder, up='z', K_fullimg=K)
    write_pack(converter(folder, str(folder / 'cameras')), folder / 'pack')
    pack = SequencePack(folder / 'pack')
    assert pack.entries['a'].world_up == '+z' and not pack.entries['a'].static_camera
    np.testing.assert_allclose(pack['a']['K_fullimg'], K)
    # (x, y, z) is (x, z, -y) with y up.
    point, y_up = np.array([1.0, 2, 3, 1]), np.array([1.0, 3, -2, 1])
    np.testing.assert_allclose(pack['a']['T_w2c'].numpy() @ y_up, T_w2c @ point, atol=1e-5)
    test, train = (PackDataset(pack=str(folder / 'pack'), test_mode=x)[0] for x in (True, False))
    assert torch.equal(test['inputs']['T_w2c'], pack['a']['T_w2c'])
    assert test['data_samples'].world_up == '+z'
    assert 'T_w2c' not in train['inputs'] and 'world_up' not in train['data_samples']
    torch.testing.assert_close(
        test['inputs']['cam_angvel'], torch.eye(3)[:2].flatten().expand(FRAMES, 6)
    )


def test_poses_without_an_up_axis_are_rotations(folder):
    write_cameras(folder)
    write_pack(converter(folder, str(folder / 'cameras')), folder / 'pack')
    entry = SequencePack(folder / 'pack').entries['a']
    assert entry.world_up == '' and 'R_w2c' in entry.arrays
    assert any('does not state `up`' in note for note in entry.extra['notes'])


@pytest.mark.parametrize(
    'focal, K, said',
    [
        ('900', np.diag([900.0, 900, 1]) + [[0, 0, 48], [0, 0, 32], [0, 0, 0]], '--focal 900'),
        (None, np.diag([9000.0, 9000, 1]) + [[0, 0, 48], [0, 0, 32], [0, 0, 0]], 'field of view'),
        (None, np.diag([90.0, 90, 1]) + [[0, 0, 480], [0, 0, 32], [0, 0, 0]], 'centre at 480'),
    ],
)
def test_intrinsics_of_another_video(folder, focal, K, said):
    write_cameras(folder, K_fullimg=K)
    made = converter(folder, str(folder / 'cameras'), focal=focal)
    failures = write_pack(made, folder / 'pack').failures
    assert len(failures) == 2 and 'a.npz' in failures[0].message and said in failures[0].message


def test_observations_of_the_extraction_are_used(folder, tmp_path):
    weights = tmp_path / 'hmr2.ckpt'
    torch.save({'state_dict': weights_to_publish()}, weights)
    both = np.stack((walking(FRAMES), walking(FRAMES, 50, 45)))
    np.savez(folder / 'keypoints' / 'a.npz', kp2d=both)
    job = FeatureJob(
        keypoints=str(folder / 'keypoints'),
        people='all',
        checkpoint=str(weights),
        network=dict(backbone=BACKBONE, head=HEAD),
        device='cpu',
    )
    extracted = folder / 'extracted'
    assert extract_features(folder / 'videos', extracted, job).written == 2
    assert extract_features(folder / 'videos', extracted, job).skipped == 2
    report = write_pack(converter(folder, observations=extracted), folder / 'pack')
    assert report.failures == []
    pack = SequencePack(folder / 'pack')
    assert list(pack) == ['a_0', 'a_1', 'sub/b_0']
    assert pack.entries['a_0'].group == pack.entries['a_1'].group == 'a'
    assert pack['a_0']['features'].shape == (FRAMES, 1024)
    assert pack['a_0']['flip_features'].abs().max() > 0
    item = PackDataset(pack=str(folder / 'pack'), test_mode=True, flip_test=True)[0]
    assert item['inputs']['has_imgfeat']


def test_observations_of_another_video_are_refused(folder):
    extracted = folder / 'extracted'
    job = FeatureJob(keypoints=str(folder / 'keypoints'))
    extract_features(folder / 'videos', extracted, job)
    write_video(folder / 'videos' / 'a.mp4', FRAMES, size=(64, 96))
    (failure,) = write_pack(converter(folder, observations=extracted), folder / 'pack').failures
    assert failure.id == 'a' and 'made of another video' in failure.message


def test_other_processes_get_the_converter(folder):
    copy = pickle.loads(pickle.dumps(converter(folder)))
    assert [info.id for info in copy.sequences()] == ['a', 'sub/b']


def test_a_place_that_cannot_be_written_to(folder):
    (folder / 'pack').write_text('a file')
    with pytest.raises(StorageError):
        write_pack(converter(folder), folder / 'pack')


@pytest.mark.parametrize('focal, expected', [(None, 500), ('1200', 1200), ('24mm', 277.35)])
def test_focal_lengths(focal, expected):
    assert intrinsics_of(focal, 300, 400)[0, 0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    'focal, said', [('24', 'of 166 degrees.*24mm'), ('9000', 'of 2.55 degrees'), ('2mm', 'of 167')]
)
def test_focal_lengths_of_no_camera(focal, said):
    with pytest.raises(ConfigError, match=f'focal.*{said}'):
        intrinsics_of(focal, 300, 400)


def test_impossible_arguments(folder):
    for focal in ('wide', '-3', 'nan', '0mm'):
        with pytest.raises(ConfigError, match='focal'):
            converter(folder, focal=focal)
    with pytest.raises(MissingFilesError, match='camera'):
        converter(folder, camera='drone')
    with pytest.raises(MissingFilesError, match='observations'):
        converter(folder, observations=folder / 'none')
    with pytest.raises(ConfigError, match='--people all'):
        converter(folder, people='all')
    with pytest.raises(MissingFilesError, match='keypoints'):
        FeatureJob(keypoints='openpose').check()
    with pytest.raises(ConfigError):
        FeatureJob(people='tallest')


def test_a_full_disk_stops_the_extraction_and_keeps_what_is_done(folder, monkeypatch):
    job = FeatureJob(keypoints=str(folder / 'keypoints'))
    out = folder / 'extracted'
    extract_features(folder / 'videos', out, job, limit=1)

    def full(*args, **kwargs):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(np, 'savez', full)
    with pytest.raises(StorageError, match='full'):
        extract_features(folder / 'videos', out, job)
    monkeypatch.undo()
    report = extract_features(folder / 'videos', out, job)
    assert (report.skipped, report.written) == (1, 1)


@pytest.mark.parametrize('options', [{}, dict(jobs=2), dict(jobs=2, executor='dask')])
def test_videos_that_cannot_be_extracted_are_recorded(folder, options, request):
    if options.get('executor') == 'dask':
        request.getfixturevalue('forked_dask')
    (folder / 'videos' / 'broken.mp4').write_bytes(b'no')
    job = FeatureJob(keypoints=str(folder / 'keypoints'))
    seen = []
    report = extract_features(
        folder / 'videos', folder / 'out', job, start=seen.append, advance=seen.append, **options
    )
    assert seen[0] == 3 and sorted(seen[1:]) == ['a', 'broken', 'sub/b']
    assert report.written == 2 and [f.id for f in report.failures] == ['broken']
    manifest = json.loads((folder / 'out' / 'manifest.json').read_text())
    assert manifest['broken']['failure']['kind'] == DataError.__name__
    assert extract_features(folder / 'videos', folder / 'out', job).skipped == 2
    dry = extract_features(folder / 'videos', folder / 'dry', job, dry_run=True, jobs=2)
    assert dry.planned == 3 and not (folder / 'dry').exists()
