"""Video of the people of a result on its frames, and in the world."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ..core.checks import check_at_least
from ..core.errors import DataError
from ..registry.arguments import checks_flags
from ..structures import MotionResult
from ..structures.motion_result import RESULT_WRITERS
from .body_track import BodyTrack
from .contact_sheet import FrameSource, window_picture
from .overlay import draw_body
from .palette import person_colour
from .result_tracks import result_tracks
from .text import draw_lines, draw_text
from .video import VideoWriter
from .window import MIN_HEIGHT, Window
from .world_view import WorldView

OPACITY, OPACITY_UNSEEN = 0.8, 0.35
"""Opacity of a body in frames with and without a detection."""


@RESULT_WRITERS.register_module('mp4')
@checks_flags
def write_result_video(
    path: Path,
    result: MotionResult,
    frames: FrameSource = None,
    height: int = 480,
    world_width: int = 640,
    with_mesh: bool = True,
    progress: Callable[[Iterable], Iterable] = iter,
) -> list[Path]:
    """Write a video of all people on the frames, and of the world beside it.

    Bodies are paler where the person is not detected.

    Args:
        path (Path): The MP4 file.
        result (MotionResult): N frames, with motions in the camera.
        frames (FrameSource): Images, a function of the frame number. Defaults to None: a dark
            canvas.
        height (int): Height of the picture in px; smaller videos keep theirs. Defaults to 480.
        world_width (int): Width of the view of the world in px; 0 leaves it out. Defaults to 640.
        with_mesh (bool): Draw meshes, not only skeletons. Defaults to True.
        progress (Callable): Wraps the loop over frames. Defaults to ``iter``.

    Returns:
        list[Path]: The file.

    Raises:
        ConfigError: If the height is too small.
        DataError: If the size of the video, or a motion in the camera, is unknown.
        MissingFilesError: If there is no body model.
    """
    check_at_least(MIN_HEIGHT, height=height)
    if not all(result.size):
        raise DataError(
            f'{path} needs the size of the video, which the result does not have: write .html'
        )
    img_shape = (result.size[1], result.size[0])
    window = Window.whole(img_shape, min(height, img_shape[0]))
    tracks = result_tracks(result, with_mesh)
    world = WorldView(size=(world_width, window.height), people=tracks) if world_width else None
    with VideoWriter(path, result.fps) as writer:
        for frame in progress(range(len(result))):
            canvas = window.canvas(img_shape, window_picture(frames, frame, window))
            _draw_people(canvas, result, tracks, frame, window)
            writer.write(
                canvas if world is None else np.concatenate((canvas, world.draw(frame)), axis=1)
            )
    return [Path(path)]


def _draw_people(
    canvas: np.ndarray,
    result: MotionResult,
    tracks: dict[int, BodyTrack],
    frame: int,
    window: Window,
) -> None:
    """Draw the people of a frame, far ones first, and what is known of them."""
    there = result.at(frame)
    size = int(np.clip(window.height / 26, 10, 16))
    for number in sorted(there, key=lambda number: -tracks[number].joints_c[frame, 0, 2]):
        camera = window.camera(tracks[number].K[frame])
        opacity = OPACITY if there[number].seen[0] else OPACITY_UNSEEN
        draw_body(canvas, tracks[number], frame, camera, person_colour(number), opacity)
        pixels, depth = camera.project(tracks[number].joints_c[frame])
        if (depth > 0).all():
            low, high = pixels[:, 1].min(), pixels[:, 1].max()
            # The head reaches above its joint.
            place = (pixels[:, 0].mean(), low - 0.15 * (high - low) - size)
            draw_text(canvas, str(number), place, size, person_colour(number), anchor='centre')
    lines = [f'frame {frame}  {frame / result.fps:.2f} s']
    lines += [f'{n}: confidence {person.confidence[0]:.2f}' for n, person in there.items()]
    draw_lines(canvas, lines, (0, 0), size)
