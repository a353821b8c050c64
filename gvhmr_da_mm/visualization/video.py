"""Reading of video frames and writing of motions as MP4."""

import os
from pathlib import Path
from types import TracebackType
from typing import Optional, Union

import cv2
import numpy as np
from rich.markup import escape
from rich.progress import Progress

from ..core.checks import check_at_least
from ..core.conventions import FPS
from ..core.errors import DataError, MissingFilesError, ShapeError
from ..fileio.pixel_aspect import pixel_stretch, with_square_pixels
from .body_track import BodyTrack, joint_errors
from .contact_sheet import FrameSource, draw_tile, prediction_lines, window_picture
from .window import MIN_HEIGHT, Window
from .world_view import WorldView

PathLike = Union[str, Path]


class VideoReader:
    """Random access to the frames of a video; reading them in order is fast.

    Args:
        path (str | Path): The video.
        start (int): Number of the frame that is returned for 0. Defaults to 0.

    Raises:
        MissingFilesError: If the file does not exist.
        DataError: If OpenCV cannot read it.
    """

    def __init__(self, path: PathLike, start: int = 0) -> None:
        if not Path(path).is_file():
            raise MissingFilesError(f'there is no video {str(path)!r}')
        self.path, self.start = path, start
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise DataError(f'OpenCV cannot read the video {str(path)!r}')
        self._stretch = pixel_stretch(self._capture)

    def __call__(self, frame: int) -> Optional[np.ndarray]:
        """Return the RGB image (h, w, 3) of a frame, or None beyond the end."""
        wanted = self.start + frame
        if round(self._capture.get(cv2.CAP_PROP_POS_FRAMES)) != wanted:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, wanted)
        found, picture = self._capture.read()
        if not found:
            return None
        return with_square_pixels(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), self._stretch)


class VideoWriter:
    """Context manager that writes RGB images of one size to an MP4 file.

    The file appears when it is complete; leaving the ``with`` block by an error leaves none.

    Args:
        path (str | Path): The file; its folder is created.
        fps (float): Frames per second. Defaults to 30.

    Raises:
        DataError: If OpenCV cannot write the file.
        ShapeError: If the images differ in size.
    """

    def __init__(self, path: PathLike, fps: float = FPS) -> None:
        self.path, self.fps = Path(path), fps
        self._writer: Optional[cv2.VideoWriter] = None
        self._shape: Optional[tuple[int, ...]] = None

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close() if kind is None else self._discard()

    def write(self, picture: np.ndarray) -> None:
        """Append an RGB image (h, w, 3), uint8; odd sides are padded by repetition."""
        if self._writer is None:
            self._open(picture.shape)
        if picture.shape != self._shape:
            raise ShapeError(
                f'frames of {self.path} should all have shape {self._shape}, got {picture.shape}'
            )
        height, width = picture.shape[:2]
        # MP4 stores colour at half the resolution, so both sides have to be even.
        picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode='edge')
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
            os.replace(self._partial, self.path)

    def _discard(self) -> None:
        if self._writer is not None:
            self._writer.release()
            self._writer = None
            self._partial.unlink(missing_ok=True)

    def _open(self, shape: tuple[int, ...]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        height, width = (side + side % 2 for side in shape[:2])
        codec = cv2.VideoWriter_fourcc(*'mp4v')
        # OpenCV chooses the format by the ending.
        self._partial = self.path.with_name(f'.{self.path.stem}.partial{self.path.suffix}')
        self._writer = cv2.VideoWriter(str(self._partial), codec, self.fps, (width, height))
        self._shape = shape
        if not self._writer.isOpened():
            raise DataError(
                f'OpenCV cannot write the video {str(self.path)!r}: its name should end in .mp4'
            )


def write_motion_video(
    path: PathLike,
    prediction: BodyTrack,
    img_shape: tuple[int, int],
    ground_truth: Optional[BodyTrack] = None,
    frames: FrameSource = None,
    keypoints: Optional[np.ndarray] = None,
    height: int = 360,
    world_width: int = 640,
    fps: float = FPS,
    progress: bool = True,
) -> Path:
    """Write a video of the prediction on the frames, the ground truth beside it, and the world.

    Args:
        path (str | Path): The MP4 file.
        prediction (BodyTrack): Predicted track.
        img_shape (tuple[int, int]): Height and width of the original video, px.
        ground_truth (BodyTrack, optional): Aligned to the prediction here. Defaults to None.
        frames (FrameSource): Images, e.g. a :class:`VideoReader`. Defaults to None.
        keypoints (np.ndarray, optional): Detections (F, 17, 3) in px. Defaults to None.
        height (int): Height of the MP4 in px. Defaults to 360.
        world_width (int): Width of the world view in px; 0 leaves it out. Defaults to 640.
        fps (float): Frames per second. Defaults to 30.
        progress (bool): Show a progress bar. Defaults to True.

    Returns:
        Path: The file.

    Raises:
        ConfigError: If the height is too small.
    """
    check_at_least(MIN_HEIGHT, height=height)
    window = Window.whole(img_shape, height)
    errors, aligned = None, None
    if ground_truth is not None:
        errors = joint_errors(prediction, ground_truth)
        aligned = ground_truth.aligned_to(prediction)
    world = WorldView(prediction, aligned, (world_width, height)) if world_width else None
    with VideoWriter(path, fps) as writer, Progress(disable=not progress) as bar:
        for frame in bar.track(range(len(prediction)), description=escape(Path(path).name)):
            picture = window_picture(frames, frame, window)  # once, for all tiles
            detected = None if keypoints is None else keypoints[frame]
            lines = ['prediction', f'frame {frame}', *prediction_lines(prediction, frame, errors)]
            parts = [
                draw_tile(
                    prediction, frame, window, img_shape, picture, True, detected, lines=lines
                )
            ]
            if ground_truth is not None:
                parts.append(
                    draw_tile(
                        ground_truth,
                        frame,
                        window,
                        img_shape,
                        picture,
                        False,
                        lines=['ground truth'],
                    )
                )
            if world is not None:
                parts.append(world.draw(frame))
            writer.write(np.concatenate(parts, axis=1))
    return Path(path)
