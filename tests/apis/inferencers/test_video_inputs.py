import cv2
import numpy as np
import pytest

from gvhmr_da_mm.apis.inferencers import list_videos
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.video import webcam
from tests.video.videos import square, write_video


@pytest.fixture
def folder(tmp_path):
    """Return a folder of mixed files."""
    root = tmp_path / 'mixed'
    (root / 'inner').mkdir(parents=True)
    write_video(root / 'a.mp4', 4)
    write_video(root / 'inner' / 'a.mp4', 4)
    (root / 'notes.txt').write_text('x')
    (root / 'ünïcödé 影片.gif').write_bytes((root / 'a.mp4').read_bytes())
    return root


def test_names(folder):
    names = [video.name for video in list_videos(folder)]
    assert names == ['a', 'inner/a', 'ünïcödé 影片']
    both = [video.name for video in list_videos([folder / 'a.mp4', str(folder / 'inner/a.mp4')])]
    assert both == ['a', 'a_2']
    taken = {'a'}
    assert [video.name for video in list_videos(folder / 'a.mp4', names=taken)] == ['a_2']
    assert taken == {'a', 'a_2'}


def test_a_folder_that_is_given_relatively_has_its_name(folder, monkeypatch):
    (folder / 'pictures' / 'in').mkdir(parents=True)
    for t in range(3):
        cv2.imwrite(str(folder / 'pictures' / f'{t}.png'), square(t))
    for place, given in (('pictures', '.'), ('pictures/in', '..')):
        monkeypatch.chdir(folder / place)
        (video,) = list_videos(given)
        assert video.name == video.open().name == 'pictures'


def test_what_earlier_runs_drew_is_no_input(folder):
    for drawn, stages in (
        ('motions/a/overlay.mp4', 'motions/a/.stages'),
        ('adapted/inner/a.mp4', 'adapted/.stages/videos/inner/a'),
    ):
        (folder / stages).mkdir(parents=True)
        (folder / drawn).parent.mkdir(parents=True, exist_ok=True)
        write_video(folder / drawn, 4)
    write_video(folder / 'adapted' / 'b.mp4', 4)
    names = [video.name for video in list_videos(folder)]
    assert names == ['a', 'adapted/b', 'inner/a', 'ünïcödé 影片']
    (given,) = list_videos(folder / 'motions' / 'a' / 'overlay.mp4')
    assert given.name == 'overlay'
    with pytest.raises(MissingFilesError, match='earlier runs drew, such as .*overlay.mp4'):
        list(list_videos(folder / 'motions'))


def test_frames_are_those_of_the_video(folder):
    (video,) = list_videos(folder / 'a.mp4')
    source = video.open()
    assert len(source) == 4 and source.files == [folder / 'a.mp4']


def test_arrays():
    frames = np.zeros((5, 6, 8, 3), np.uint8)
    for inputs in (frames, list(frames)):
        (video,) = list_videos(inputs, fps=10)
        source = video.open()
        assert source.img_wh == (8, 6) and source.seconds.tolist() == [0, 0.1, 0.2, 0.3, 0.4]
        assert [number for number, _ in source.frames([3, 1])] == [1, 3]


@pytest.mark.parametrize(
    'frames',
    [
        np.zeros((5, 6, 8, 3)),
        *(np.zeros(shape, np.uint8) for shape in ((5, 6, 8), (5, 6, 8, 4), (5, 6, 8, 1))),
        *(np.zeros(shape, np.uint8) for shape in ((5, 3, 6, 8), (5, 0, 8, 3), (0, 6, 8, 3))),
    ],
)
def test_wrong_arrays(frames):
    (video,) = list_videos(frames)
    with pytest.raises(DataError, match=r'RGB images \(N, H, W, 3\), uint8'):
        video.open()


def test_what_is_no_video(tmp_path):
    (tmp_path / 'photo.jpg').write_bytes(b'x')
    (video,) = list_videos(tmp_path / 'photo.jpg')
    with pytest.raises(DataError, match='photo.jpg is one picture: motion needs a video'):
        video.open()
    with pytest.raises(MissingFilesError, match='nothing'):
        list(list_videos(tmp_path / 'nothing'))
    for inputs in ([], None, 2.5):
        with pytest.raises(ConfigError, match='`inputs` should be a video'):
            list(list_videos(inputs))


class Camera:
    """Stands in for OpenCV's capture: delivers some frames, then none."""

    def __init__(self, frames):
        self.frames, self.released = frames, False

    def isOpened(self):
        return self.frames is not None

    def read(self):
        self.frames -= 1
        return self.frames >= 0, np.full((6, 8, 3), (0, 0, 200), np.uint8)

    def release(self):
        self.released = True


@pytest.mark.parametrize('given', [1, 'webcam:1'])
def test_a_webcam_that_vanishes(monkeypatch, given):
    camera = Camera(300)
    monkeypatch.setattr(webcam.cv2, 'VideoCapture', lambda number: {1: camera}[number])
    windows = []
    with pytest.raises(DataError, match='webcam 1 delivers no more frames'):
        for video in list_videos(given):
            windows.append((video.name, video.open()))
    assert [name for name, _ in windows] == [f'webcam1_{n:04d}' for n in range(3)]
    assert [len(source) for _, source in windows] == [120, 120, 60]
    _, picture = next(windows[0][1].frames())
    assert picture[0, 0].tolist() == [200, 0, 0] and camera.released


def test_no_webcam(monkeypatch):
    monkeypatch.setattr(webcam.cv2, 'VideoCapture', lambda number: Camera(None))
    with pytest.raises(DataError, match='webcam 0 cannot be opened'):
        next(list_videos('webcam'))
    with pytest.raises(ConfigError, match='webcam:NUMBER'):
        next(list_videos('webcam:front'))
