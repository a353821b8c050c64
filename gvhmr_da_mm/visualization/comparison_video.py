"""Video of several predictions of the same people, side by side on the frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Callable, NamedTuple, Optional

import numpy as np

from ..core.checks import check_at_least
from .body_track import BodyTrack
from .contact_sheet import FrameSource, beside, window_picture
from .overlay import draw_body, draw_keypoints
from .palette import person_colour
from .text import draw_lines
from .video import VideoWriter
from .window import MIN_HEIGHT, Window

OPACITY = 0.7


class ComparedPart(NamedTuple):
    """Frames of a video with predictions of the people in them.

    Attributes:
        start (int): Number of the first frame in the video.
        person (int): Number of the person, for its colour.
        keypoints (np.ndarray): Detections (F, 17, 3), px.
        tracks (Mapping[str, BodyTrack]): Predictions of F frames by their title.
    """

    start: int
    person: int
    keypoints: np.ndarray
    tracks: Mapping[str, BodyTrack]


def write_comparison_video(
    path: Path,
    parts: Sequence[ComparedPart],
    img_shape: tuple[int, int],
    frames: FrameSource = None,
    height: int = 360,
    fps: float = 30,
    progress: Callable = iter,
) -> Optional[np.ndarray]:
    """Write a video with one tile for each prediction.

    Args:
        path (Path): The MP4 file.
        parts (Sequence[ComparedPart]): What is drawn; frames of none are left out.
        img_shape (tuple[int, int]): Height and width of the video, px.
        frames (FrameSource): Images, a function of the frame number. Defaults to None: a dark
            canvas.
        height (int): Height of a tile, px; smaller videos keep theirs. Defaults to 360.
        fps (float): Frames per second. Defaults to 30.
        progress (Callable): Wraps the loop over frames. Defaults to ``iter``.

    Returns:
        np.ndarray | None: The picture (H, W, 3) in the middle, as RGB; None if there is none.

    Raises:
        ConfigError: If the height is too small.
    """
    check_at_least(MIN_HEIGHT, height=height)
    window = Window.whole(img_shape, min(height, img_shape[0]))
    shown: dict[int, list[ComparedPart]] = {}
    for part in parts:
        for frame in range(part.start, part.start + len(part.keypoints)):
            shown.setdefault(frame, []).append(part)
    numbers, middle = sorted(shown), None
    with VideoWriter(path, fps) as writer:
        for place, number in enumerate(progress(numbers)):
            picture = window_picture(frames, number, window)
            titles = dict.fromkeys(title for part in shown[number] for title in part.tracks)
            tiles = [
                _tile(title, number, shown[number], window, img_shape, picture) for title in titles
            ]
            written = beside(tiles)
            writer.write(written)
            if place == len(numbers) // 2:
                middle = written
    return middle


def _tile(
    title: str,
    number: int,
    parts: Sequence[ComparedPart],
    window: Window,
    img_shape: tuple[int, int],
    picture: Optional[np.ndarray],
) -> np.ndarray:
    canvas = window.canvas(img_shape, picture)
    for part in parts:
        frame, track = number - part.start, part.tracks[title]
        draw_body(
            canvas, track, frame, window.camera(track.K[frame]), person_colour(part.person), OPACITY
        )
        points = window.pixels(part.keypoints[frame, :, :2])
        draw_keypoints(
            canvas, np.concatenate((points, part.keypoints[frame, :, 2:]), axis=1), radius=2
        )
    draw_lines(canvas, [title, f'frame {number}'], (0, 0), 12)
    return canvas
