import numpy as np
import pytest

from gvhmr_da_mm.core.conventions import COCO_FLIP_INDEX
from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.video.camera_file import read_camera_poses
from gvhmr_da_mm.video.camera_track import (
    resample_rotations,
    rotation_from_gyro,
    rotation_from_poses,
    static_rotation,
)
from gvhmr_da_mm.video.detectors import Detections, boxes_around
from gvhmr_da_mm.video.frame_source import FrameSource
from gvhmr_da_mm.video.observe import observe
from gvhmr_da_mm.video.person_clip import PersonClip
from gvhmr_da_mm.video.time_plan import plan_times
from gvhmr_da_mm.video.visual_gyro import CameraRotation, VisualGyro, rotation_angle
from tests.video.scenes import K, render, rotation, texture


class Pictures(FrameSource):
    """Frame source in memory; None stands for an undecodable frame."""

    def __init__(self, pictures, fps=30.0):
        self.path = self.name = 'pictures'
        self.pictures, self.notes, self.img_wh = pictures, ['odd'], (320, 240)
        self.seconds = np.arange(len(pictures)) / fps

    def frames(self, wanted=None):
        for number in range(len(self)) if wanted is None else sorted(wanted):
            yield number, self.pictures[number]


class Detector:
    """Detector of a person that walks to the right by two pixels per 1/30 s."""

    needs_images = True

    def __init__(self, fps=30.0, blind=(), failing=(), others=0):
        self.fps, self.blind, self.failing, self.others = fps, blind, failing, others
        self.asked = []

    def __call__(self, image, number):
        self.asked.append(number)
        if number in self.failing:
            raise RuntimeError('out of luck')
        if number in self.blind:
            return Detections.none()
        keypoints = np.random.default_rng(0).uniform(0, 1, (1 + self.others, 17, 3))
        keypoints = np.sort(keypoints, axis=0)
        keypoints[..., 0] = 20 + 30 * keypoints[..., 0] + 2 * number * 30 / self.fps
        keypoints[..., 1] = 50 + 100 * keypoints[..., 1]
        keypoints[..., 2] = 0.9
        keypoints[1:, :, 0] += 150
        return Detections(boxes_around(keypoints)[0], keypoints)


def pictures(frames):
    return [np.zeros((240, 320, 3), np.uint8)] * frames


def test_a_plain_video():
    (clip,), plan = observe(Pictures(pictures(40)), Detector(), facts=dict(by='test'))
    assert (clip.name, clip.img_wh, clip.start, len(clip)) == ('pictures', (320, 240), 0, 40)
    assert clip.observed.all()
    np.testing.assert_array_equal((plan.lower, plan.upper), [np.arange(40)] * 2)
    assert clip.facts == dict(by='test', failures=[], notes=['odd'])
    np.testing.assert_array_equal(clip.frame_numbers, np.arange(40))
    expected = Detector()(None, 7).keypoints[0]
    np.testing.assert_allclose(clip.kp2d[7], expected, rtol=1e-6)
    low, high = expected[:, :2].min(0), expected[:, :2].max(0)
    inside = clip.bbx_xys[7, :2] - clip.bbx_xys[7, 2] / 2 < low
    assert inside.all() and (clip.bbx_xys[7, :2] + clip.bbx_xys[7, 2] / 2 > high).all()


@pytest.mark.parametrize('fps', [24.0, 25.0, 50.0, 60.0, 29.97])
def test_other_frame_rates_keep_speed_and_length(fps):
    source = Pictures(pictures(int(2 * fps)), fps)
    detector = Detector(fps)
    (clip,), _ = observe(source, detector)
    assert len(clip) == pytest.approx(60, abs=2)
    speed = np.diff(clip.kp2d[:, 0, 0])
    np.testing.assert_allclose(speed, 2, atol=0.45)
    assert abs(speed.mean() - 2) < 0.02
    assert (fps == 60) == (len(detector.asked) < len(source))


def test_what_fails_is_told_and_not_fatal():
    source = Pictures(pictures(40))
    source.pictures[5] = None
    (clip,), _ = observe(source, Detector(blind=(20,), failing=(30,)))
    np.testing.assert_array_equal(np.flatnonzero(~clip.observed), [5, 20, 30])
    np.testing.assert_allclose(clip.kp2d[[5, 20, 30], :, 2], 0.9 * 0.9, rtol=1e-6)
    expected = Detector()(None, 20).keypoints[0, :, :2]
    np.testing.assert_allclose(clip.kp2d[20, :, :2], expected, rtol=1e-5)
    assert np.isfinite(clip.bbx_xys).all()
    assert [failure.split()[1].strip(':') for failure in clip.facts['failures']] == ['5', '30']


def test_a_detector_that_always_fails_is_told():
    with pytest.raises(DataError, match='40 frames failed, the first one: .*out of luck'):
        observe(Pictures(pictures(40)), Detector(failing=range(40)))


def test_one_who_comes_late_and_leaves_early():
    absent = (*range(10), *range(50, 60))
    (clip,), _ = observe(Pictures(pictures(60)), Detector(blind=absent))
    assert (clip.start, len(clip)) == (10, 40)
    assert clip.frame_numbers[0] == 10


def test_two_people():
    source = Pictures(pictures(40))
    (clip,), _ = observe(source, Detector(others=1))
    assert any('2 tracks' in note and 'largest' in note for note in clip.facts['notes'])
    both, _ = observe(source, Detector(others=1), people='all')
    assert [c.name for c in both] == ['pictures_0', 'pictures_1']


def test_nobody():
    with pytest.raises(DataError, match='no person is seen'):
        observe(Pictures(pictures(40)), Detector(blind=range(40)))
    with pytest.raises(DataError, match='at most in 12'):
        observe(Pictures(pictures(40)), Detector(blind=range(12, 40)))


def test_a_video_shorter_than_min_frames_has_nobody():
    with pytest.raises(DataError, match='at least 30 of its 20 frames'):
        observe(Pictures(pictures(20)), Detector())
    (clip,), _ = observe(Pictures(pictures(20)), Detector(), min_frames=20)
    assert len(clip) == 20


class Moves(Detector):
    """Detections of a wide person at given shifts in x."""

    def __init__(self, shift=lambda number: 0, **options):
        super().__init__(**options)
        self.shift = shift

    def __call__(self, image, number):
        found = super().__call__(image, number)
        found.keypoints[..., 0] = 4 * (found.keypoints[..., 0] - 20 - 2 * number) + 10
        found.keypoints[..., 0] += self.shift(number)
        return Detections(boxes_around(found.keypoints)[0], found.keypoints)


def test_confidence_falls_in_a_gap_and_ends_in_a_long_one():
    (clip,), _ = observe(Pictures(pictures(80)), Moves(blind=(*range(10, 13), *range(30, 55))))
    confidence = clip.kp2d[:, 0, 2] / 0.9
    np.testing.assert_allclose(confidence[8:15], [1, 1, 0.9, 0.8, 0.9, 1, 1], rtol=1e-6)
    assert (confidence[39:46] == 0).all() and (confidence[30:39] > 0).all()
    assert np.abs(np.diff(confidence)).max() < 0.11


def plain(level):
    return np.full((240, 320, 3), level, np.uint8)


def test_a_cut_ends_the_track_and_is_told():
    source = Pictures([plain((20, 30, 40))] * 45 + [plain((200, 190, 90))] * 35)
    (clip,), _ = observe(source, Detector())
    assert (clip.start, len(clip)) == (0, 45)
    assert any('ends after frame 44: the scene changes' in note for note in clip.facts['notes'])
    both, _ = observe(source, Detector(), people='all')
    assert [(c.start, len(c)) for c in both] == [(0, 45), (45, 35)]
    light = Pictures([plain(20)] * 40 + [plain(30)] * 40)
    assert len(observe(light, Detector())[0][0]) == 80


@pytest.mark.parametrize('other_clothes', [True, False])
def test_one_who_takes_the_place_of_another_is_somebody_else(other_clothes):
    clothes = [(200, 40, 40)] * 40 + [(40, 40, 200) if other_clothes else (200, 40, 40)] * 40
    # Most of the picture stays, so that no cut is seen.
    source = Pictures([plain(90) for _ in clothes])
    source.pictures = [picture.copy() for picture in source.pictures]
    for picture, colour in zip(source.pictures, clothes):
        picture[:, :150] = colour
    (clip,), _ = observe(source, Moves(lambda number: 40 * (number >= 40)), min_frames=20)
    assert len(clip) == (40 if other_clothes else 80)
    told = any('another person' in note for note in clip.facts['notes'])
    assert told == other_clothes


class PersonAndThing(Detector):
    """Detector that also takes a thing for a person, with another guess in each frame."""

    def __init__(self, person=True):
        super().__init__(others=1)
        self.person, self.guesses = person, np.random.default_rng(0)

    def __call__(self, image, number):
        found = super().__call__(image, number)
        guess = self.guesses.uniform((200, 50), (300, 150), (17, 2))
        found.keypoints[1, :, :2] = guess
        found.boxes[1] = 200, 50, 300, 150
        return found if self.person else Detections(found.boxes[1:], found.keypoints[1:])


def test_a_thing_that_is_taken_for_a_person_is_left_out_and_told():
    for people in ('all', 'largest', 'longest'):
        (clip,), _ = observe(Pictures(pictures(60)), PersonAndThing(), people=people)
        assert clip.kp2d[:, :, 0].max() < 180
        (message,) = clip.facts['left_out']
        assert message.startswith('what is seen in frames 0 to 59 is no person: its torso')
        assert message in clip.facts['notes']
    (alone,), _ = observe(Pictures(pictures(60)), Detector())
    assert 'left_out' not in alone.facts


def test_a_video_of_a_thing_alone_shows_no_person():
    with pytest.raises(DataError, match='no person is seen .* frames 0 to 59 is no person'):
        observe(Pictures(pictures(60)), PersonAndThing(person=False))


def test_swapped_sides_are_mended_and_counted():
    class Swaps(Detector):
        def __call__(self, image, number):
            found = super().__call__(image, number)
            if 20 <= number < 27:
                found.keypoints[:] = found.keypoints[:, COCO_FLIP_INDEX]
            return found

    (clip,), _ = observe(Pictures(pictures(60)), Swaps())
    (right,), _ = observe(Pictures(pictures(60)), Detector())
    np.testing.assert_allclose(clip.kp2d, right.kp2d)
    assert (clip.facts['swapped_frames'], clip.facts['collapsed_frames']) == (7, 0)
    assert 'swapped_frames' not in right.facts
    assert len(clip.facts['notes']) == len(right.facts['notes']) + 1
    assert any('swapped in 7 of 60 frames' in note for note in clip.facts['notes'])


def test_saved_clips_are_the_same(tmp_path):
    (clip,), _ = observe(Pictures(pictures(40)), Detector())
    clip.features = np.zeros((40, 1024), np.float16)
    clip.save(tmp_path / 'sub' / 'clip.npz')
    read = PersonClip.load(tmp_path / 'sub' / 'clip.npz')
    assert (read.name, read.img_wh, read.start, read.facts) == (
        clip.name, clip.img_wh, clip.start, clip.facts,
    )  # fmt: skip
    assert set(read.arrays()) == set(clip.arrays())
    for name, array in clip.arrays().items():
        np.testing.assert_array_equal(read.arrays()[name], array)
    assert [path.name for path in (tmp_path / 'sub').iterdir()] == ['clip.npz']


def test_files_that_are_no_clips(tmp_path):
    with pytest.raises(MissingFilesError):
        PersonClip.load(tmp_path / 'none.npz')
    np.savez(tmp_path / 'other.npz', kp2d=np.zeros(3))
    with pytest.raises(DataError, match='other.npz'):
        PersonClip.load(tmp_path / 'other.npz')
    (clip,), _ = observe(Pictures(pictures(40)), Detector())
    clip.features = np.zeros((39, 1024), np.float16)
    clip.save(tmp_path / 'short.npz')
    with pytest.raises(DataError, match='features has shape'):
        PersonClip.load(tmp_path / 'short.npz')


def test_the_gyro_at_another_frame_rate():
    background = texture()
    truth = [rotation(0, 12 * t / 25, 0) for t in range(26)]
    gyro = VisualGyro(K)
    source = Pictures([render(R, background) for R in truth], 25.0)
    _, plan = observe(source, Detector(25.0), gyro=gyro, min_frames=10)
    found = rotation_from_gyro(gyro.finish(), plan)
    assert found.R_w2c.shape == (len(plan), 3, 3) and not found.static
    for t in range(len(plan)):
        error = rotation_angle(found.R_w2c[t] @ rotation(0, 12 * t / 30, 0).T)
        assert np.degrees(error) < 0.3


def test_rotations_of_a_file(tmp_path):
    plan = plan_times(np.arange(26) / 25)
    truth = np.stack([rotation(0, t, 0) for t in range(26)])
    np.save(tmp_path / 'r.npy', truth)
    found = rotation_from_poses(read_camera_poses(tmp_path / 'r.npy'), plan, 26)
    angle = np.degrees([rotation_angle(R) for R in found.R_w2c])
    np.testing.assert_allclose(angle, np.arange(31) * 25 / 30, atol=0.1)
    np.save(tmp_path / 'r.npy', np.tile(np.eye(3), (31, 1, 1)))
    assert len(rotation_from_poses(read_camera_poses(tmp_path / 'r.npy'), plan, 26).R_w2c) == 31
    np.save(tmp_path / 'r.npy', truth[:20])
    with pytest.raises(DataError, match='20 rotations; expected one for each of the 26'):
        rotation_from_poses(read_camera_poses(tmp_path / 'r.npy'), plan, 26)


def test_a_file_of_a_camera_that_stands_still(tmp_path):
    plan = plan_times(np.arange(26) / 30)
    still = np.stack([rotation(0, 20 + 0.01 * np.sin(t), 0) for t in range(26)])
    np.save(tmp_path / 'r.npy', still)
    found = rotation_from_poses(read_camera_poses(tmp_path / 'r.npy'), plan, 26)
    assert found.static and (found.R_w2c == found.R_w2c[0]).all()
    assert found.report['largest_angle_deg'] < 0.03
    np.testing.assert_allclose(found.R_w2c[0], still[0], atol=1e-9)
    np.save(tmp_path / 'r.npy', np.stack([rotation(0, 0.02 * t, 0) for t in range(26)]))
    assert not rotation_from_poses(read_camera_poses(tmp_path / 'r.npy'), plan, 26).static
    # A camera on rails does not turn, and yet it moves.
    poses = np.tile(np.eye(4), (26, 1, 1))
    np.save(tmp_path / 'r.npy', poses)
    assert rotation_from_poses(read_camera_poses(tmp_path / 'r.npy'), plan, 26).static
    poses[:, 0, 3] = np.linspace(0, 0.5, 26)
    np.save(tmp_path / 'r.npy', poses)
    found = rotation_from_poses(read_camera_poses(tmp_path / 'r.npy'), plan, 26)
    assert not found.static and found.report['largest_motion'] == 0.5


def test_static_rotations():
    plan = plan_times(np.arange(5) / 30)
    assert static_rotation(plan).static
    np.testing.assert_array_equal(static_rotation(plan).R_w2c, np.tile(np.eye(3), (5, 1, 1)))
    single = plan_times(np.array([0.0]))
    assert resample_rotations(np.eye(3)[None], single).shape == (1, 3, 3)
    found = CameraRotation(np.eye(3)[None], True)
    assert rotation_from_gyro(found, single).static


class Unsorted(Pictures):
    """Source whose times turn out to be others after the first reading."""

    def planned_frames(self):
        if self.fps != 30.0:
            self.seconds = np.arange(len(self.pictures)) / 30
            yield from self.frames(range(0, 8, 2))
            self.fps = 30.0
        else:
            yield from super().planned_frames()

    def __init__(self, pictures):
        super().__init__(pictures)
        self.fps = None


def test_frames_are_read_again_if_their_times_were_wrong():
    background = texture()
    images = [render(rotation(0, 20 * t / 30, 0), background) for t in range(40)]
    gyro, detector = VisualGyro(K), Detector()
    (clip,), plan = observe(Unsorted(images), detector, gyro=gyro)
    assert detector.asked == [0, 2, 4, 6, *range(40)]
    expected = VisualGyro(K)
    (same,), _ = observe(Pictures(images), Detector(), gyro=expected)
    np.testing.assert_array_equal(clip.kp2d, same.kp2d)
    np.testing.assert_array_equal(gyro.finish().R_w2c, expected.finish().R_w2c)


def test_a_cut_splits_a_person_and_numbers_the_scenes(tmp_path):
    bright = [np.full((240, 320, 3), 200, np.uint8)] * 40
    first, second = observe(Pictures(pictures(40) + bright), Detector(), people='all')[0]
    assert (first.scene, first.start, len(first)) == (0, 0, 40)
    assert (second.scene, second.start, len(second)) == (1, 40, 40)
    # Nothing is smoothed over the cut.
    (alone,), _ = observe(Pictures(pictures(40)), Detector())
    np.testing.assert_array_equal(first.bbx_xys, alone.bbx_xys)
    second.save(tmp_path / 'clip.npz')
    assert PersonClip.load(tmp_path / 'clip.npz').scene == 1
