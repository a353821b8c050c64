"""Contact sheet of a dataset clip: boxes, keypoints and labels on its frames."""

from collections.abc import Callable
from typing import Any, Optional

import numpy as np

from ..core.conventions import FPS
from .body_track import BodyTrack
from .contact_sheet import GAP, HEADER_HEIGHT, beside, frame_picture
from .overlay import MIN_CONFIDENCE, draw_body, draw_box, draw_keypoints
from .palette import BACKGROUND, GROUND_TRUTH, MUTED_TEXT, TEXT
from .text import draw_lines, draw_text, text_size
from .window import Window

FOLLOW_MARGIN = 1.3
"""Side of a tile that follows the person, over the side of the box."""


def draw_clip_sheet(
    title: str,
    inputs: dict[str, Any],
    img_shape: tuple[int, int],
    track: Optional[BodyTrack] = None,
    frames: Optional[Callable[[int], Optional[np.ndarray]]] = None,
    notes: str = '',
    first_frame: int = 0,
    num_frames: int = 6,
    tile_height: int = 240,
    follow: bool = False,
) -> np.ndarray:
    """Draw some frames of a clip in a row.

    Args:
        title (str): Headline.
        inputs (dict[str, Any]): Inputs of a sample: ``bbx_xys`` (L, 3) in px, ``valid`` (L,),
            ``kp2d`` (L, 17, 3) and ``has_kp2d``.
        img_shape (tuple[int, int]): Height and width of the video, px.
        track (BodyTrack, optional): Labels to draw. Defaults to None.
        frames (Callable, optional): Maps a frame of the clip to its RGB image, or None.
            Defaults to None: dark canvases.
        notes (str): Second line of the header. Defaults to ''.
        first_frame (int): Number of the clip's first frame in the sequence. Defaults to 0.
        num_frames (int): Number of frames, spread evenly. Defaults to 6.
        tile_height (int): Height of a tile in px. Defaults to 240.
        follow (bool): Crop to the person, not the whole image. Defaults to False.

    Returns:
        np.ndarray: RGB image (h, w, 3), uint8.
    """
    boxes, keypoints = (np.asarray(inputs[name], dtype=float) for name in ('bbx_xys', 'kp2d'))
    length = int(np.asarray(inputs['valid']).sum())
    detected = bool(inputs['has_kp2d'])
    chosen = np.unique(np.linspace(0, length - 1, min(num_frames, length)).round().astype(int))
    tiles = []
    for frame in chosen.tolist():
        window = Window.whole(img_shape, tile_height)
        if follow:
            centre, half = boxes[frame, :2], FOLLOW_MARGIN * boxes[frame, 2] / 2
            window = Window.around(np.stack((centre - half, centre + half)), tile_height, margin=1)
        canvas = window.canvas(img_shape, frame_picture(frames, frame))
        draw_box(canvas, window.pixels(boxes[frame, :2]), boxes[frame, 2] * window.scale)
        if track is not None and track.K is not None:
            draw_body(
                canvas, track, frame, window.camera(track.K[frame]), GROUND_TRUTH, opacity=0.6
            )
        if detected:
            points = window.pixels(keypoints[frame, :, :2])
            draw_keypoints(canvas, np.concatenate((points, keypoints[frame, :, 2:]), axis=1))
        number = first_frame + frame
        lines = [f'frame {number}  {number / FPS:.2f} s']
        if detected:
            seen = int((keypoints[frame, :, 2] >= MIN_CONFIDENCE).sum())
            lines.append(f'{seen} keypoints')
        if track is not None and not track.valid[frame]:
            lines.append('label not valid')
        draw_lines(canvas, lines, (0, 0), 11)
        tiles.append(canvas)
    return _with_header(beside(tiles), title, notes)


def stack_sheets(sheets: list[np.ndarray]) -> np.ndarray:
    """Stack sheets (h, w, 3) vertically, padded to the widest."""
    width = max(sheet.shape[1] for sheet in sheets)
    parts = []
    for sheet in sheets:
        padded = np.full((sheet.shape[0] + GAP, width, 3), BACKGROUND, np.uint8)
        padded[: sheet.shape[0], : sheet.shape[1]] = sheet
        parts.append(padded)
    return np.concatenate(parts, axis=0)


def _with_header(row: np.ndarray, title: str, notes: str) -> np.ndarray:
    needed = max(text_size(title, 14, bold=True)[0], text_size(notes, 11)[0] if notes else 0)
    width = max(row.shape[1], needed + 2 * GAP)
    picture = np.full((HEADER_HEIGHT + 4 + row.shape[0], width, 3), BACKGROUND, np.uint8)
    picture[HEADER_HEIGHT + 4 :, : row.shape[1]] = row
    draw_text(picture, title, (GAP, 2), 14, TEXT, bold=True)
    draw_text(picture, notes or ' ', (GAP, 20), 11, MUTED_TEXT)
    return picture
