"""The tool that goes from videos to motions: what it writes, and what it says of bad input."""

import errno
import json
import re
import wave

import numpy as np
import pytest

from gvhmr_da_mm.structures import MotionResult
from gvhmr_da_mm.video import webcam
from tests.apis.inferencers.conftest import FRAMES, checkpoint, keypoints  # noqa: F401
from tests.video.videos import write_video


@pytest.fixture
def infer(call, tmp_path, checkpoint, toy_root):  # noqa: F811
    """Return a function that runs the tool without the fit and returns code, output and errors."""
    keypoints(tmp_path / 'keypoints.npz', [(0, FRAMES)])

    def run(*arguments, people=tmp_path / 'keypoints.npz', out=tmp_path / 'out'):
        return call(
            'infer', *arguments, '--weights', checkpoint, '--data-root', toy_root, '--no-fit',
            '--keypoints', people, '--device', 'cpu', '--out', out,
        )  # fmt: skip

    return run


@pytest.fixture
def summary(tmp_path):
    """Return a function that reads the summary of a video."""
    return lambda name: json.loads((tmp_path / 'out' / name / 'summary.json').read_text())


@pytest.fixture
def video(tmp_path):
    (tmp_path / 'in').mkdir()
    return write_video(tmp_path / 'in' / 'walk [1].mp4', FRAMES)


def test_one_command(infer, video, summary, tmp_path):
    code, printed, err = infer(video, '--format', 'npz', 'bvh', 'glb')
    assert code == 0, err
    assert 'walk [1]: 40 frames' in printed and '0 (seen in 100% of frames 0 to 39)' in printed
    folder = tmp_path / 'out' / 'walk [1]'
    names = {'motion.npz', 'motion.bvh', 'motion.glb', 'overlay.mp4', 'world.html', 'summary.json'}
    assert names == {file.name for file in folder.iterdir()} - {'.stages'}
    assert summary('walk [1]')['people']['0']['coverage'] == 1


def test_known_facts(infer, video, summary, tmp_path):
    np.save(tmp_path / 'camera.npy', np.eye(3)[None])
    code, _, err = infer(
        video, '--no-draw', '--height', '0=1.8', '--focal', '24mm', '--floor', 'flat',
        '--camera-rotations', tmp_path / 'camera.npy',
    )  # fmt: skip
    assert code == 0, err
    facts = summary('walk [1]')['facts']['settings']
    assert facts['height'] == {'0': 1.8} and facts['focal'] == '24mm' and facts['floor'] == 'flat'
    assert not (tmp_path / 'out' / 'walk [1]' / 'overlay.mp4').exists()


def test_a_folder_of_good_and_bad_files(infer, video, summary, tmp_path):
    folder = video.parent
    content = video.read_bytes()
    with wave.open(str(folder / 'music.mp4'), 'wb') as sound:
        sound.setparams((1, 2, 8000, 0, 'NONE', ''))
        sound.writeframes(bytes(16000))
    (folder / 'truncated.mp4').write_bytes(content[: len(content) // 2])
    (folder / 'empty.mp4').write_bytes(b'')
    write_video(folder / 'one_frame.mp4', 1)
    write_video(folder / 'ünïcödé 影片.mp4', FRAMES)
    (folder / 'notes.txt').write_text('not a video')
    code, printed, _ = infer(folder, '--no-draw', '--static-camera')
    assert code == 1
    for name, said in dict(
        music='damaged, half-downloaded or not a video',
        truncated='damaged, half-downloaded or not a video',
        empty='damaged, half-downloaded or not a video',
    ).items():
        failure = summary(name)['failure']
        assert failure['type'] == 'DataError' and f'{name}.mp4' in failure['message']
        assert said in failure['message'] and f'failed {name}: ' in printed
    assert 'keypoints.npz' in summary('one_frame')['failure']['message']
    for name in ('walk [1]', 'ünïcödé 影片'):
        assert 'failure' not in summary(name) and summary(name)['frames'] == FRAMES


def test_people_that_are_not_there(infer, video, summary, tmp_path):
    for name, spans, said in (
        ('nobody', [], 'no person is seen in at least 30 of its 40 frames (at most in 0)'),
        ('short', [(10, 13)], 'no person is seen in at least 30 of its 40 frames (at most in 3)'),
    ):
        people = keypoints(tmp_path / f'{name}.npz', spans or [(0, 0)])
        code, printed, _ = infer(video, '--no-draw', '--static-camera', people=people)
        assert code == 1 and said in printed
        assert said in summary('walk [1]')['failure']['message']


def test_inputs_that_are_no_video(infer, video, summary, tmp_path):
    photo = tmp_path / 'photo.jpg'
    photo.write_bytes(b'\xff\xd8')
    code, printed, _ = infer(photo, tmp_path / 'nothing.mp4', video, '--no-draw')
    assert code == 1 and 'walk [1]: 40 frames' in printed
    assert 'is one picture' in summary('photo')['failure']['message']
    assert summary('nothing')['failure']['type'] == 'MissingFilesError'


def test_a_missing_input_has_a_name_of_its_own(infer, video, summary, tmp_path):
    code, printed, _ = infer(video, tmp_path / 'nowhere' / video.name, '--no-draw')
    assert code == 1 and 'failed walk [1]_2: ' in printed
    assert summary('walk [1]')['frames'] == FRAMES
    assert summary('walk [1]_2')['failure']['type'] == 'MissingFilesError'


def test_a_gif_and_an_8k_video(infer, summary, tmp_path):
    from PIL import Image

    pictures = [np.full((64, 96, 3), 6 * t, np.uint8) for t in range(FRAMES)]
    images = [Image.fromarray(picture) for picture in pictures]
    gif = tmp_path / 'small.gif'
    images[0].save(gif, save_all=True, append_images=images[1:], duration=40, loop=0)
    large = write_video(tmp_path / 'large.mp4', pictures=[np.zeros((4320, 7680, 3), np.uint8)] * 3)
    frames = 3
    people = tmp_path / 'both'
    people.mkdir()
    keypoints(people / 'small.npz', [(0, FRAMES)])
    keypoints(people / 'large.npz', [(0, frames)], frames)
    code, printed, _ = infer(
        gif, large, '--min-frames', 2, '--static-camera', '--no-draw', people=people
    )
    assert code == 0, printed
    assert summary('small')['frames'] == int((FRAMES - 1) * 0.04 * 30) + 1
    assert summary('large')['size'] == [7680, 4320]


def test_a_webcam_that_vanishes(infer, summary, monkeypatch, tmp_path):
    class Camera:
        left = FRAMES

        def isOpened(self):
            return True

        def read(self):
            self.left -= 1
            return self.left >= 0, np.zeros((64, 96, 3), np.uint8)

        def release(self):
            pass

    ticks = iter(range(1000))
    monkeypatch.setattr(webcam.cv2, 'VideoCapture', lambda number: Camera())
    monkeypatch.setattr(webcam.time, 'monotonic', lambda: next(ticks) / 30)
    code, printed, _ = infer('webcam:0', '--no-draw', '--static-camera')
    assert code == 1 and 'webcam0_0000: 40 frames' in printed
    assert 'webcam 0 delivers no more frames' in printed
    assert 'no more frames' in summary('webcam:0')['failure']['message']


def test_a_full_disk(infer, video, summary, monkeypatch, tmp_path):
    def full(self, path, **options):
        raise OSError(errno.ENOSPC, 'No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr(MotionResult, 'save', full)
        code, printed, _ = infer(video, '--no-draw')
    assert code == 1 and 'the disk of' in printed and 'is full' in printed
    assert summary('walk [1]')['failure']['type'] == 'StorageError'
    code, _, _ = infer(video, '--no-draw')
    assert code == 0 and summary('walk [1]')['reused'] == ['detect', 'network']


def test_a_folder_that_cannot_be_written(infer, video, tmp_path):
    (tmp_path / 'file').write_text('')
    code, _, err = infer(video, out=tmp_path / 'file')
    assert code == 2 and '`--out` should be a folder that can be written' in err


def test_an_interruption(infer, video, monkeypatch):
    def interrupt(self, path, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(MotionResult, 'save', interrupt)
    code, printed, _ = infer(video)
    assert code == 130 and 'Finished stages are kept' in printed


@pytest.mark.parametrize(
    'options, said',
    [
        (['--height', 'tall'], '`--height` should be metres'),
        (['--height', '178'], '`height` should be in metres'),
        (['--height', '0=1.7', '0=1.8'], '`--height` should be metres'),
        (['--format', 'fbx'], "`formats` should be of .*'fbx'"),
        (['--camera-poses', 'none.npz'], 'existing file or folder of rotations'),
        (['--people', 'some'], '`people` should be one of'),
        (['--focal', 'wide'], '`focal` should be pixels'),
    ],
)
def test_wrong_options(infer, video, options, said):
    code, printed, err = infer(video, '--no-draw', *options)
    assert code in (1, 2)
    assert re.search(said, printed + err), printed + err


def test_models_are_listed(call):
    code, printed, _ = call('infer', '--list-models')
    assert code == 0 and printed.strip()
    code, _, err = call('infer')
    assert code == 2 and 'expected a VIDEO' in err
