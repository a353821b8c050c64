"""Regression tests on real videos."""

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
from gvhmr_da_mm.video.calibrated_views import View
from gvhmr_da_mm.video.detectors import build_detector
from gvhmr_da_mm.video.feature_job import FeatureJob
from gvhmr_da_mm.video.frame_source import FrameSource, open_frames
from gvhmr_da_mm.video.observe import observe
from gvhmr_da_mm.video.triangulation import triangulate_joints
from gvhmr_da_mm.video.video_converter import VideoConverter
from tests.testing.toy_config import toy_model_config

BONES = ((11, 13), (13, 15))
SHOULDERS, ANKLES = [5, 6], [15, 16]
pytestmark = [pytest.mark.media, pytest.mark.slow]


class Part(FrameSource):
    """Frames of a video from a start to an end, as a video of their own."""

    def __init__(self, source, start, end):
        self.source, self.start = source, start
        self.path, self.name, self.img_wh = source.path, source.name, source.img_wh
        self.files, self.notes = source.files, source.notes
        self.seconds = source.seconds[start:end] - source.seconds[start]

    def frames(self, wanted=None):
        wanted = range(len(self)) if wanted is None else wanted
        for number, image in self.source.frames([self.start + number for number in wanted]):
            yield number - self.start, image


@pytest.fixture(scope='module')
def watch(media):
    """Return a function that observes a video, or a part, by MediaPipe, once for all tests."""
    pytest.importorskip(
        'mediapipe.python.solutions.pose', reason='MediaPipe with its weights is missing'
    )
    known = {}

    def _watch(name, part=None, **options):
        key = (name, part, *options.items())
        if key not in known:
            source = open_frames(media / name)
            if part is not None:
                source = Part(source, *part)
            everybody = options.pop('everybody', False)
            with build_detector('mediapipe', None, name, source.img_wh, everybody) as detector:
                known[key], _ = observe(source, detector, **options)
        return known[key]

    return _watch


def test_people_who_cross_are_two_tracks(watch):
    clips = watch('odd/crossing.mp4', (0, 190), people='all')
    # White, blue from frame 99, and white again from frame 151, where they cross.
    starts = [clip.frame_numbers[0] for clip in clips]
    assert len(clips) == 3
    assert starts[0] < 10 and 95 < starts[1] < 103 and 150 <= starts[2] < 165
    assert any('another person' in note for note in clips[1].facts['notes'])


def test_both_players_are_followed(watch):
    clips = watch('odd/crossing.mp4', (0, 200), people='all', everybody=True)
    white, blue = clips[:2]
    # White is in front where they cross.
    assert white.start == blue.start == 0
    assert len(white) == 200 and white.observed.sum() > 172 and white.observed[-20:].all()
    assert 140 < len(blue) < 200 and blue.observed.mean() > 0.9


def test_scenes_are_not_joined(watch):
    clips = watch('odd/scene_cut.mp4', (46, 126), people='all')
    assert (clips[0].start, len(clips[0])) == (0, 40)
    assert clips[1].frame_numbers[0] == 40
    assert any('frame 39: the scene changes' in note for note in clips[0].facts['notes'])


@pytest.fixture(scope='module')
def calibrated(media, tmp_path_factory):
    """Return the pack of the videos of four cameras around one person."""
    pytest.importorskip(
        'mediapipe.python.solutions.pose', reason='MediaPipe with its weights is missing'
    )
    folder, out = media / 'calibrated', tmp_path_factory.mktemp('calibrated') / 'pack'
    converter = VideoConverter(folder, FeatureJob(), str(folder / 'Calib.qca.txt'))
    assert write_pack(converter, out).written == 4
    return SequencePack(out)


def test_left_and_right_stay_where_they_are(calibrated):
    facts = {name: entry.extra for name, entry in calibrated.entries.items()}
    turned = facts.pop('cam02')
    assert 12 <= turned['swapped_frames'] <= 16 and turned['collapsed_frames'] <= 2
    # All the time he faces the camera.
    kp2d = calibrated['cam02']['kp2d']
    for left, right in ((5, 6), (11, 12)):
        assert (kp2d[:, left, 0] > kp2d[:, right, 0]).all()
    assert len(facts) == 3 and not any('swapped_frames' in other for other in facts.values())


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


def test_calibrated_cameras_see_one_person_in_one_world(calibrated):
    pack = calibrated
    assert {(e.world_up, e.static_camera) for e in pack.entries.values()} == {('+z', True)}
    kp2d = np.stack([pack[name]['kp2d'].double().numpy() for name in pack])
    views = []
    for name in pack:
        K, T_w2c = (pack[name][key].double().numpy() for key in ('K_fullimg', 'T_w2c'))
        views.append(View(name, K, T_w2c[0, :3, :3], T_w2c[0, :3, 3]))
    joints = triangulate_joints(views, kp2d).joints
    for view, keypoints in zip(views, kp2d):
        distance = np.linalg.norm(view.project(joints)[0] - keypoints[..., :2], axis=-1)
        assert np.median(distance) < 30  # Of pictures 1920 pixels high.
    thigh, shank = (np.linalg.norm(joints[:, a] - joints[:, b], axis=-1) for a, b in BONES)
    assert np.median(thigh) == pytest.approx(0.385, abs=0.03)
    assert np.median(shank) == pytest.approx(0.375, abs=0.03)
    # He stands on a treadmill, with y up.
    height = np.median(joints[..., 1], axis=0)
    assert height[SHOULDERS].mean() > 1.2 and 0 < height[ANKLES].min() < 0.25
