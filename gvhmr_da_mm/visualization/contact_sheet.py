"""Contact sheet of a sequence: bodies on video frames, and the motion in the world."""

from collections.abc import Sequence
from typing import Callable, Optional, Union

import cv2
import numpy as np

from ..core.camera import estimate_intrinsics
from ..core.conventions import FPS
from .body_track import BodyTrack, joint_errors
from .overlay import MIN_CONFIDENCE, draw_body, draw_box, draw_keypoints
from .palette import BACKGROUND, GROUND_TRUTH, MUTED_TEXT, PREDICTION, TEXT
from .text import draw_lines, draw_text
from .window import Window
from .world_view import WorldView

FrameSource = Union[None, np.ndarray, Sequence[np.ndarray], Callable[[int], Optional[np.ndarray]]]
"""Images of a sequence: none, one for all frames, one per frame, or a function of the frame."""

GAP = 6
"""Pixels between the parts of a sheet."""
HEADER_HEIGHT = 34
"""Pixels of the header of a sheet."""


def frame_picture(source: FrameSource, frame: int) -> Optional[np.ndarray]:
    """Return the RGB image (h, w, 3) of a frame, or None if there is none."""
    if source is None or callable(source):
        return source if source is None else source(frame)
    single = isinstance(source, np.ndarray) and source.ndim == 3
    return source if single else source[frame]


def window_picture(source: FrameSource, frame: int, window: Window) -> Optional[np.ndarray]:
    """Return :func:`frame_picture`, scaled to the size of a window of whole images."""
    picture = frame_picture(source, frame)
    if picture is None:
        return None
    return cv2.resize(picture, (window.width, window.height), interpolation=cv2.INTER_AREA)


def draw_tile(
    track: BodyTrack,
    frame: int,
    window: Window,
    img_shape: tuple[int, int],
    picture: Optional[np.ndarray] = None,
    is_prediction: bool = True,
    keypoints: Optional[np.ndarray] = None,
    bbox_xys: Optional[np.ndarray] = None,
    lines: Sequence[str] = (),
) -> np.ndarray:
    """Draw a body on a window of a frame.

    Args:
        track (BodyTrack): The body; without intrinsics, those of an unknown camera are estimated.
        frame (int): Number of the frame.
        window (Window): Part of the frame, and size of the tile.
        img_shape (tuple[int, int]): Height and width that K and the window refer to, px.
        picture (np.ndarray, optional): RGB (h, w, 3), uint8. Defaults to None: a dark canvas.
        is_prediction (bool): Use the colour of predictions, not of ground truth. Defaults to True.
        keypoints (np.ndarray, optional): Detections (17, 3), px of the frame. Defaults to None.
        bbox_xys (np.ndarray, optional): Box (3,), px of the frame. Defaults to None.
        lines (Sequence[str]): Text in the upper left corner. Defaults to ().

    Returns:
        np.ndarray: RGB tile (window.height, window.width, 3), uint8.
    """
    canvas = window.canvas(img_shape, picture)
    K = _intrinsics(track, frame, img_shape)
    colour = PREDICTION if is_prediction else GROUND_TRUTH
    if bbox_xys is not None:
        draw_box(canvas, window.pixels(bbox_xys[:2]), float(bbox_xys[2]) * window.scale)
    draw_body(canvas, track, frame, window.camera(K), colour)
    if keypoints is not None:
        points = np.concatenate((window.pixels(keypoints[:, :2]), keypoints[:, 2:]), axis=1)
        draw_keypoints(canvas, points)
    size = int(np.clip(window.height / 22, 10, 16))
    draw_lines(canvas, lines, (0, 0), size)
    if not track.valid[frame]:
        place = (window.width / 2, window.height / 2)
        draw_text(canvas, 'not valid', place, size, MUTED_TEXT, anchor='centre')
    return canvas


def draw_contact_sheet(
    title: str,
    img_shape: tuple[int, int],
    prediction: Optional[BodyTrack] = None,
    ground_truth: Optional[BodyTrack] = None,
    frames: FrameSource = None,
    keypoints: Optional[np.ndarray] = None,
    bbox_xys: Optional[np.ndarray] = None,
    num_frames: int = 5,
    tile_size: int = 280,
    follow: bool = True,
) -> np.ndarray:
    """Draw frames of the prediction, the same of the ground truth below, and the world view.

    Args:
        title (str): Headline.
        img_shape (tuple[int, int]): Height and width of the video, px.
        prediction (BodyTrack, optional): Required without ``ground_truth``. Defaults to None.
        ground_truth (BodyTrack, optional): Aligned to the prediction here. Defaults to None.
        frames (FrameSource): Images. Defaults to None: dark canvases.
        keypoints (np.ndarray, optional): Detections (F, 17, 3) in px. Defaults to None.
        bbox_xys (np.ndarray, optional): Boxes (F, 3) in px, drawn if given. Defaults to None.
        num_frames (int): Tiles per row. Defaults to 5.
        tile_size (int): Width and height of a tile in px. Defaults to 280.
        follow (bool): Crop each tile to the person, not the whole frame. Defaults to True.

    Returns:
        np.ndarray: RGB image (h, w, 3), uint8.
    """
    tracks = {'prediction': prediction, 'ground truth': ground_truth}
    tracks = {label: track for label, track in tracks.items() if track is not None}
    length = len(next(iter(tracks.values())))
    usable = np.flatnonzero(np.logical_and.reduce([track.valid for track in tracks.values()]))
    usable = usable if len(usable) else np.arange(length)
    count = min(num_frames, len(usable))
    chosen = usable[np.linspace(0, len(usable) - 1, count).round().astype(int)]
    paired = len(tracks) == 2
    errors = joint_errors(prediction, ground_truth) if paired else None

    rows = []
    for label, track in tracks.items():
        tiles = []
        for frame in chosen:
            window = _window(list(tracks.values()), frame, keypoints, img_shape, tile_size, follow)
            lines = [label]
            if label == 'prediction' or not paired:
                lines.append(f'frame {frame}  {frame / FPS:.2f} s')
            if label == 'prediction':
                lines += prediction_lines(track, frame, errors)
            tiles.append(
                draw_tile(
                    track,
                    frame,
                    window,
                    img_shape,
                    frame_picture(frames, frame),
                    label == 'prediction',
                    None if keypoints is None else keypoints[frame],
                    None if bbox_xys is None else bbox_xys[frame],
                    lines,
                )
            )
        rows.append(beside(tiles))
    width = max(rows[0].shape[1], 3 * tile_size)
    if paired:
        ground_truth = ground_truth.aligned_to(prediction)
    world = WorldView(prediction, ground_truth, (width, round(width * 0.46)), num_bodies=8).draw()

    header = np.full((HEADER_HEIGHT, width, 3), BACKGROUND, np.uint8)
    draw_text(header, title, (GAP, 8), 15, TEXT, bold=True)
    summary = f'{length} frames'
    if errors is not None and np.isfinite(errors).any():
        summary += f', joint error {np.nanmean(errors):.0f} mm (pelvis on pelvis)'
    draw_text(header, summary, (width - GAP, 9), 13, MUTED_TEXT, anchor='right')
    return _below([header, *rows, world], width)


def prediction_lines(
    track: BodyTrack, frame: int, errors: Optional[np.ndarray] = None
) -> list[str]:
    """Return the lines of text on a predicted frame: its error in mm and its confidence."""
    lines = []
    if errors is not None:
        known = np.isfinite(errors[frame])
        lines.append(f'error {errors[frame]:.0f} mm' if known else 'error –')
    if track.confidence is not None:
        lines.append(f'confidence {track.confidence[frame]:.2f}')
    return lines


def _window(
    tracks: list[BodyTrack],
    frame: int,
    keypoints: Optional[np.ndarray],
    img_shape: tuple[int, int],
    size: int,
    follow: bool,
) -> Window:
    """Choose the part of the frame, around detections or else the body; the same for all rows."""
    whole = Window.whole(img_shape, size)
    if not follow:
        return whole
    if keypoints is not None:
        points = keypoints[frame][keypoints[frame, :, 2] > MIN_CONFIDENCE, :2]
        if len(points) > 4:
            return Window.around(points, size, margin=1.6)
    for track in reversed(tracks):  # prefer the ground truth
        if track.valid[frame] and track.joints_c[frame, :, 2].min() > 0:
            camera = whole.camera(_intrinsics(track, frame, img_shape))
            pixels, _ = camera.project(track.joints_c[frame])
            return Window.around(pixels / whole.scale, size, margin=1.4)
    return whole


def _intrinsics(track: BodyTrack, frame: int, img_shape: tuple[int, int]) -> np.ndarray:
    height, width = img_shape
    return estimate_intrinsics(width, height).numpy() if track.K is None else track.K[frame]


def beside(tiles: Sequence[np.ndarray]) -> np.ndarray:
    """Join images of equal height horizontally, with gaps."""
    gap = np.full((tiles[0].shape[0], GAP, 3), BACKGROUND, np.uint8)
    parts = [part for tile in tiles for part in (tile, gap)][:-1]
    return np.concatenate(parts, axis=1)


def _below(rows: Sequence[np.ndarray], width: int) -> np.ndarray:
    """Stack images vertically, padded to a width, with gaps."""
    gap = np.full((GAP, width, 3), BACKGROUND, np.uint8)
    parts = []
    for row in rows:
        fill = np.full((row.shape[0], width - row.shape[1], 3), BACKGROUND, np.uint8)
        parts += [np.concatenate((row, fill), axis=1), gap]
    return np.concatenate(parts[:-1], axis=0)
