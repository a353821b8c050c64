import cv2
import numpy as np
import pytest

from gvhmr_da_mm.core.errors import DataError, MissingFilesError
from gvhmr_da_mm.video import frame_source
from gvhmr_da_mm.video.frame_source import (
    ImageFolder,
    VideoFrames,
    find_clips,
    open_frames,
    unread_files,
)
from gvhmr_da_mm.video.time_plan import plan_times
from tests.video.videos import (
    SIZE,
    set_durations,
    set_pixel_aspect,
    set_rotation,
    square,
    ticks_per_second,
    write_video,
)


def left_edge(image):
    return int(np.argmax(image[20, :, 0] > 150))


def test_frames_of_a_video(tmp_path):
    video = open_frames(write_video(tmp_path / 'a.mp4'))
    assert isinstance(video, VideoFrames)
    assert (video.name, video.img_wh, len(video), video.notes) == ('a', SIZE, 12, [])
    np.testing.assert_allclose(video.seconds, np.arange(12) / 30, atol=1e-3)
    pictures = list(video.frames())
    assert [number for number, _ in pictures] == list(range(12))
    for t, picture in pictures:
        assert left_edge(picture) == pytest.approx(4 * t, abs=2)


def test_chosen_frames(tmp_path):
    video = open_frames(write_video(tmp_path / 'a.mp4'))
    chosen = dict(video.frames([7, 3, 3]))
    assert list(chosen) == [3, 7]
    assert left_edge(chosen[7]) == pytest.approx(28, abs=2)


@pytest.mark.parametrize('degrees', [90, 180, 270])
def test_rotation_in_the_metadata_is_honoured(tmp_path, degrees):
    path = write_video(tmp_path / 'phone.mp4', 3)
    set_rotation(path, degrees)
    video = open_frames(path)
    assert video.img_wh == (SIZE if degrees == 180 else SIZE[::-1])
    assert f'{degrees} degrees' in video.notes[0]
    codes = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
    upright = cv2.rotate(square(0), codes[degrees])
    _, first = next(video.frames())
    assert np.abs(first.astype(int) - upright).mean() < 8


def test_times_of_a_variable_frame_rate(tmp_path):
    path = write_video(tmp_path / 'vfr.mp4', 8)
    tick = ticks_per_second(path)
    steps = np.array([1, 2, 1, 3, 1, 1, 2, 1]) / 30
    set_durations(path, (steps * tick).round().astype(int).tolist())
    video = open_frames(path)
    np.testing.assert_allclose(np.diff(video.seconds), steps[:-1], atol=2e-3)
    assert any('variable frame rate' in note for note in video.notes)


@pytest.fixture
def decoded(monkeypatch):
    """Return a list to which each decoded frame adds its time."""
    times = []
    grab = frame_source._grab

    def count(capture):
        found = grab(capture)
        if found:
            times.append(capture.get(cv2.CAP_PROP_POS_MSEC))
        return found

    monkeypatch.setattr(frame_source, '_grab', count)
    return times


@pytest.mark.parametrize('fps', [25.0, 30.0, 60.0])
def test_planned_frames_are_those_of_a_second_reading(tmp_path, fps, decoded):
    path = write_video(tmp_path / 'a.mp4', 20, fps)
    video = open_frames(path)
    pictures = dict(video.planned_frames())
    assert len(decoded) == 1 + 20  # The first is read for the size of the pictures.
    known = open_frames(path)
    np.testing.assert_array_equal(video.seconds, known.seconds)
    assert list(pictures) == plan_times(known.seconds).used.tolist()
    for number, picture in known.planned_frames():
        np.testing.assert_array_equal(picture, pictures[number])


def test_times_that_do_not_increase(tmp_path, decoded, monkeypatch):
    path = write_video(tmp_path / 'a.mp4', 20, 60.0)
    right = frame_source._milliseconds
    calls = []

    def wrong(capture):
        calls.append(right(capture))
        return calls[-1] if len(calls) < 10 else 0.0

    monkeypatch.setattr(frame_source, '_milliseconds', wrong)
    video = open_frames(path)
    early = [number for number, _ in video.planned_frames()]
    assert len(decoded) == 1 + 20 and early[-1] < 10
    assert any('not increasing' in note for note in video.notes)
    np.testing.assert_allclose(video.seconds, np.arange(20) / 60)
    assert [number for number, _ in video.planned_frames()] == list(range(0, 20, 2))


def test_a_video_that_was_cut_off(tmp_path):
    path = write_video(tmp_path / 'cut.avi', 30, codec='MJPG')
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    video = open_frames(path)
    assert 5 < len(video) < 30
    assert all(image is not None for _, image in video.frames())


def test_a_frame_that_cannot_be_decoded(tmp_path):
    path = write_video(tmp_path / 'broken.avi', 20, codec='MJPG')
    content = bytearray(path.read_bytes())
    starts = [i for i in range(len(content)) if content[i : i + 4] == b'00dc'][:20]
    content[starts[9] + 8 : starts[10]] = bytes(starts[10] - starts[9] - 8)
    path.write_bytes(content)
    video = open_frames(path)
    assert len(video) == 19
    assert '1 of 20 frames cannot be decoded' in video.notes
    np.testing.assert_allclose(np.sort(np.diff(video.seconds))[-2:], [1 / 30, 2 / 30], atol=2e-3)


class Header:
    """Stands in for OpenCV's capture of a file that states its duration, not its frames."""

    def __init__(self, seconds, duration, fps):
        self.seconds, self.place = seconds, -1
        self.stated = {
            cv2.CAP_PROP_FRAME_COUNT: round(duration * fps),
            cv2.CAP_PROP_FPS: fps,
            cv2.CAP_PROP_ORIENTATION_META: 0,
        }

    def get(self, name):
        if name == cv2.CAP_PROP_POS_MSEC:
            return 1000 * self.seconds[self.place]
        return self.stated.get(name, 0)

    def grab(self):
        self.place += 1
        return self.place < len(self.seconds)

    def retrieve(self):
        return True, square(0)

    def isOpened(self):
        return True

    def set(self, *_):
        pass

    def release(self):
        pass


@pytest.mark.parametrize(
    'duration, fps, missing',
    [(2.0, 30, []), (2.0, 1000, []), (4.0, 30, ['the last 2.0 of 4.0 s have no frame'])],
)
def test_a_duration_is_no_number_of_frames(tmp_path, monkeypatch, duration, fps, missing):
    """At a variable rate there are fewer frames than a constant one would have."""
    seconds = np.arange(60)[np.arange(60) % 7 < 4] / 30
    monkeypatch.setattr(
        frame_source.cv2, 'VideoCapture', lambda path: Header(seconds, duration, fps)
    )
    (tmp_path / 'a.webm').touch()
    video = open_frames(tmp_path / 'a.webm')
    assert len(video) == len(seconds)
    assert [note for note in video.notes if 'variable' not in note] == missing


@pytest.mark.parametrize('content', [b'', b'this is no video', bytes(5000)])
def test_what_is_no_video(tmp_path, content):
    path = tmp_path / 'no.mp4'
    path.write_bytes(content)
    with pytest.raises(DataError, match='no.mp4'):
        open_frames(path)


def test_images(tmp_path):
    for t in (10, 2, 5):
        cv2.imwrite(str(tmp_path / f'{t:05d}.png'), square(t)[..., ::-1])
    (tmp_path / '00006.png').write_bytes(b'broken')
    cv2.imwrite(str(tmp_path / '00007.png'), square(7)[:20])
    folder = open_frames(tmp_path, fps=10)
    assert isinstance(folder, ImageFolder) and folder.img_wh == SIZE and len(folder) == 5
    np.testing.assert_allclose(folder.seconds, np.arange(5) / 10)
    pictures = [image for _, image in folder.frames()]
    assert [image is None for image in pictures] == [False, False, True, True, False]
    assert left_edge(pictures[4]) == 40
    assert [number for number, _ in folder.frames([4, 0])] == [0, 4]


def test_images_follow_each_other_by_their_numbers(tmp_path):
    names = ['b 2 (9).png', '1.png', '10.png', '9.png', 'b 1 (10).png', 'b 2 (10).png', '007.png']
    for name in names:
        cv2.imwrite(str(tmp_path / name), square(0))
    expected = [
        '1.png', '007.png', '9.png', '10.png', 'b 1 (10).png', 'b 2 (9).png', 'b 2 (10).png'
    ]  # fmt: skip
    assert [file.name for file in ImageFolder(tmp_path).files] == expected


def test_hidden_files_are_no_frames_and_no_clips(tmp_path):
    (tmp_path / 'frames').mkdir()
    (tmp_path / '.hidden').mkdir()
    for path in ('frames/1.png', 'frames/2.png', '.hidden/1.png'):
        cv2.imwrite(str(tmp_path / path), square(0))
    (tmp_path / 'frames' / '._1.png').write_bytes(b'a note of another system')
    (tmp_path / '._a.mp4').write_bytes(b'a note of another system')
    assert find_clips(tmp_path) == [tmp_path / 'frames']
    assert len(ImageFolder(tmp_path / 'frames')) == 2


def test_clips_of_a_folder(tmp_path):
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'frames').mkdir()
    write_video(tmp_path / 'sub' / 'b.mp4', 2)
    write_video(tmp_path / 'a.avi', 2, codec='MJPG')
    cv2.imwrite(str(tmp_path / 'frames' / '1.jpg'), square(0))
    (tmp_path / 'notes.txt').write_text('no clip')
    found = find_clips(tmp_path)
    assert found == [tmp_path / 'a.avi', tmp_path / 'frames', tmp_path / 'sub' / 'b.mp4']
    assert find_clips(tmp_path / 'frames') == [tmp_path / 'frames']
    assert find_clips(tmp_path / 'a.avi') == [tmp_path / 'a.avi']
    (tmp_path / 'none').mkdir()
    for missing in ('none', 'nowhere'):
        with pytest.raises(MissingFilesError, match=missing):
            find_clips(tmp_path / missing)
    with pytest.raises(MissingFilesError):
        open_frames(tmp_path / 'nowhere.mp4')


@pytest.mark.parametrize(
    'aspect, degrees, shown',
    [((2, 1), 0, (192, 64)), ((1, 2), 0, (96, 128)), ((2, 1), 90, (64, 192)), ((1, 1), 0, SIZE)],
)
def test_pixels_that_are_not_square(tmp_path, aspect, degrees, shown):
    path = write_video(tmp_path / 'a.mp4', 3)
    set_rotation(path, degrees)
    set_pixel_aspect(path, *aspect)
    video = open_frames(path)
    assert video.img_wh == shown
    assert all(picture.shape[1::-1] == shown for _, picture in video.frames())
    assert any('shown as' in note for note in video.notes) == (aspect != (1, 1))


def test_a_poster_beside_videos_is_no_clip(tmp_path):
    names = ('a.mp4', 'sub/b.mp4')
    (tmp_path / 'sub').mkdir()
    for name in names:
        write_video(tmp_path / name, 2)
    posters = [tmp_path / 'poster.jpg', tmp_path / 'sub' / 'thumb.png', tmp_path / 'notes.txt']
    for poster in posters:
        cv2.imwrite(str(poster.with_suffix('.png')), square(0))
        poster.write_bytes(poster.with_suffix('.png').read_bytes())
    (tmp_path / 'poster.png').unlink()
    (tmp_path / 'notes.png').unlink()
    assert find_clips(tmp_path) == [tmp_path / name for name in names]
    assert unread_files(tmp_path) == sorted(posters)


@pytest.mark.parametrize('suffix', ['.gif', '.ts', '.3gp', '.MP4'])
def test_no_suffix_of_videos_is_passed_over(tmp_path, suffix):
    (tmp_path / f'a{suffix}').write_bytes(b'')
    assert find_clips(tmp_path) == [tmp_path / f'a{suffix}']
