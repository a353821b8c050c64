"""Regression tests on real videos."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.camera import estimate_intrinsics
from gvhmr_da_mm.datasets.packs import SequencePack
from gvhmr_da_mm.datasets.sources.write_pack import write_pack
from gvhmr_da_mm.models import ReprojectionLoss
from gvhmr_da_mm.models.refiners import KeypointRefiner
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.structures import empty_inputs
from gvhmr_da_mm.testing.toy_config import toy_model_config
from gvhmr_da_mm.video.detectors import build_detector
from gvhmr_da_mm.video.feature_job import FeatureJob
from gvhmr_da_mm.video.frame_source import open_frames
from gvhmr_da_mm.video.observe import observe
from gvhmr_da_mm.video.video_converter import VideoConverter

BONES = ((11, 13), (13, 15))
SHOULDERS, ANKLES = [5, 6], [15, 16]
pytestmark = [pytest.mark.media, pytest.mark.slow]


@pytest.fixture(scope='module')
def watch(media):
    """Return a function that observes a video by MediaPipe, once for all tests."""
    pytest.importorskip('mediapipe', reason='requirements/mediapipe.txt is not installed')
    known = {}

    def _watch(name, **options):
        key = (name, *options.items())
        if key not in known:
            source = open_frames(media / name)
            with build_detector(
                'mediapipe', None, Path(name).stem, len(source), source.img_wh
            ) as detector:
                known[key], _ = observe(source, detector, **options)
        return known[key]

    return _watch


def test_people_who_cross_are_two_tracks(watch):
    clips = watch('odd/crossing.mp4', people='all')
    # White, blue from frame 99, and white again from frame 151, where they cross.
    starts = [clip.frame_numbers[0] for clip in clips]
    assert len(clips) == 3
    assert starts[0] < 10 and 95 < starts[1] < 103 and 150 <= starts[2] < 165
    assert any('another person' in note for note in clips[1].facts['notes'])


def test_scenes_are_not_joined(watch):
    clips = watch('odd/scene_cut.mp4', people='all')
    assert (clips[0].start, len(clips[0])) == (0, 86)
    assert clips[1].frame_numbers[0] == 86
    assert any('frame 85: the scene changes' in note for note in clips[0].facts['notes'])


def test_left_and_right_stay_where_they_are(watch):
    (clip,) = watch('calibrated/cam02.mp4')
    assert 12 <= clip.facts['swapped_frames'] <= 16 and clip.facts['collapsed_frames'] <= 2
    # All the time he faces the camera.
    for left, right in ((5, 6), (11, 12)):
        assert (clip.kp2d[:, left, 0] > clip.kp2d[:, right, 0]).all()
    for name in ('cam01', 'cam03', 'cam04'):
        (other,) = watch(f'calibrated/{name}.mp4')
        assert 'swapped_frames' not in other.facts


def test_missing_frames_leave_the_keypoints_as_they_are_at_the_full_rate(watch):
    (full,), (sparse,) = watch('odd/rot180meta.mp4'), watch('odd/vfr.mp4')
    frames = min(len(full), len(sparse))
    distance = np.linalg.norm(full.kp2d[:frames, :, :2] - sparse.kp2d[:frames, :, :2], axis=-1)
    assert np.median(distance) < 4 and np.percentile(distance, 90) < 15
    known = full.kp2d[:frames, :, 2] > 0.7
    assert (sparse.kp2d[:frames, :, 2][known] > 0.4).mean() > 0.95


@torch.no_grad()
def fitted_jitter(model, clip, frames):
    """Return the mean third difference of joints that are fitted to a clip's keypoints."""
    inputs = empty_inputs(1, frames)
    inputs.update(
        kp2d=torch.from_numpy(clip.kp2d[None, :frames]),
        bbx_xys=torch.from_numpy(clip.bbx_xys[None, :frames]),
        K_fullimg=estimate_intrinsics(*clip.img_wh).float().expand(1, frames, 3, 3),
        valid=torch.ones(1, frames, dtype=torch.bool),
    )
    fitted = KeypointRefiner()(
        model.infer(inputs), inputs, ReprojectionLoss(), model, across_ranks=False
    )
    joints = model.body_model.fk_matrices(fitted.body_pose_R, fitted.betas, fitted.R_c)[0]
    return (joints - joints[:, :1]).diff(dim=0, n=3).norm(dim=-1).mean()


def test_the_fit_goes_on_over_missing_frames(watch, toy_root):
    (full,), (sparse,) = watch('odd/rot180meta.mp4'), watch('odd/vfr.mp4')
    model = MODELS.build(toy_model_config(toy_root)).eval()
    frames = min(len(full), len(sparse))
    jitter = [fitted_jitter(model, clip, frames) for clip in (full, sparse)]
    assert jitter[1] < 1.5 * jitter[0]


def read_calibration(path):
    """Yield name, ``T_w2c`` (4, 4) in metres, z up, and K (3, 3) of the cameras of a file."""
    for camera in ElementTree.parse(path).getroot().iter('camera'):
        pose, lens = ({k: v for k, v in camera.find(n).items()} for n in ('transform', 'intrinsic'))
        turn = [[float(pose[f'r{row}{column}']) for column in (1, 2, 3)] for row in (1, 2, 3)]
        T_w2c = np.eye(4)
        T_w2c[:3, :3] = np.diag([1, -1, -1]) @ turn
        T_w2c[:3, 3] = -T_w2c[:3, :3] @ [float(pose[axis]) / 1000 for axis in 'xyz']
        fx, fy, cx, cy = (
            float(lens[f'{what}{axis}']) / 64
            for what in ('focalLength', 'centerPoint')
            for axis in 'UV'
        )
        yield camera.get('serial'), T_w2c, np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


def triangulate(kp2d, projections):
    """Return the points (F, J, 3) of keypoints (C, F, J, 3) by projections (C, F, 3, 4)."""
    rows = kp2d[..., :2, None] * projections[:, :, None, 2:] - projections[:, :, None, :2]
    rows = kp2d[..., 2, None, None] * rows
    rows = rows.transpose(1, 2, 0, 3, 4).reshape(*kp2d.shape[1:3], -1, 4)
    points = np.linalg.svd(rows)[2][..., -1, :]
    return points[..., :3] / points[..., 3:]


def test_calibrated_cameras_see_one_person_in_one_world(media, tmp_path):
    pytest.importorskip('mediapipe', reason='requirements/mediapipe.txt is not installed')
    videos, cameras = tmp_path / 'videos', tmp_path / 'cameras'
    cameras.mkdir()
    videos.mkdir()
    for name, T_w2c, K in read_calibration(media / 'calibrated' / 'Calib.qca.txt'):
        (videos / f'{name}.mp4').symlink_to(media / 'calibrated' / f'{name}.mp4')
        poses = np.tile(T_w2c, (100, 1, 1))
        np.savez(cameras / f'{name}.npz', T_w2c=poses, up='z', K_fullimg=K)
    converter = VideoConverter(videos, FeatureJob(), str(cameras))
    assert write_pack(converter, tmp_path / 'pack').written == 4
    pack = SequencePack(tmp_path / 'pack')
    assert {(e.world_up, e.static_camera) for e in pack.entries.values()} == {('+z', True)}
    kp2d, K, T_w2c = (
        np.stack([pack[name][key].double().numpy() for name in pack])
        for key in ('kp2d', 'K_fullimg', 'T_w2c')
    )
    projections = K[:, None] @ T_w2c[:, :, :3]
    joints = triangulate(kp2d, projections)
    seen = np.einsum('cfij,fkj->cfki', projections[..., :3], joints)
    seen = seen + projections[:, :, None, :, 3]
    distance = np.linalg.norm(seen[..., :2] / seen[..., 2:] - kp2d[..., :2], axis=-1)
    assert (np.median(distance, axis=(1, 2)) < 20).all()  # Of pictures 1920 pixels high.
    thigh, shank = (np.linalg.norm(joints[:, a] - joints[:, b], axis=-1) for a, b in BONES)
    assert np.median(thigh) == pytest.approx(0.385, abs=0.03)
    assert np.median(shank) == pytest.approx(0.375, abs=0.03)
    # He stands on a treadmill, with y up.
    height = np.median(joints[..., 1], axis=0)
    assert height[SHOULDERS].mean() > 1.2 and 0 < height[ANKLES].min() < 0.25
