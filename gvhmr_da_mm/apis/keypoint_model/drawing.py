"""Picture of a view: reference and prediction on video frames and from the side."""

from pathlib import Path

import numpy as np
from torch import Tensor

from ...core.conventions import FPS
from ...video.calibrated_views import View
from ...video.view_observation import ViewObservation
from ...visualization.overlay import draw_segments
from ...visualization.palette import BACKGROUND, GROUND_TRUTH, PREDICTION, TEXT, Colour
from ...visualization.picture_file import write_picture
from ...visualization.text import draw_text
from ...visualization.window import Window
from .limbs import LIMB_BONES, limb_rows

TILE = 300
"""Side of a tile in pixels."""
TILES = 5
HEADER = 34
HIPS = limb_rows('hip')
SIDE_SPAN = 2.4
"""Metres that a tile shows from the side."""


def draw_view(
    path: Path,
    seen: ViewObservation,
    view: View,
    start: int,
    predicted: Tensor,
    reference: Tensor,
    known: Tensor,
) -> None:
    """Write frames of a video with both skeletons, and below the same from the side.

    Args:
        path (Path): The picture.
        seen (ViewObservation): The video.
        view (View): Its camera.
        start (int): Frame at 30 per second of the first row of the following arguments.
        predicted (Tensor): Limb joints (F, 12, 3) in the camera, metres.
        reference (Tensor): True limb joints (F, 12, 3).
        known (Tensor): Frames with a reference (F,), bool.
    """
    rows = np.flatnonzero(known.numpy())
    chosen = rows[np.linspace(0, len(rows) - 1, TILES).round().astype(int)]
    wanted = seen.plan.nearest[start + chosen]
    pictures = dict(seen.source.frames(wanted.tolist()))
    sheet = np.full((HEADER + 2 * TILE, TILES * TILE, 3), BACKGROUND, np.uint8)
    draw_text(sheet, view.name, (10, 8), 16, TEXT, bold=True)
    draw_text(sheet, 'reference', (120, 9), 14, GROUND_TRUTH)
    draw_text(sheet, 'prediction', (220, 9), 14, PREDICTION)
    draw_text(sheet, 'below: from the side, camera on the left', (330, 9), 14, TEXT)
    for column, (row, number) in enumerate(zip(chosen, wanted)):
        pixels = _project(view, reference[row].numpy())
        window = Window.around(pixels, TILE)
        tile = window.canvas(seen.source.img_wh[::-1], pictures[int(number)])
        beside = np.full((TILE, TILE, 3), BACKGROUND, np.uint8)
        for joints, colour in ((reference, GROUND_TRUTH), (predicted, PREDICTION)):
            points = joints[row].numpy()
            _draw_bones(tile, window.pixels(_project(view, points)), colour)
            flat = _from_the_side(view, points - points[HIPS].mean(axis=0))
            _draw_bones(beside, TILE / 2 + flat * TILE / SIDE_SPAN, colour)
        draw_text(tile, f'{(start + row) / FPS:.2f} s', (6, 4), 13)
        left = column * TILE
        sheet[HEADER : HEADER + TILE, left : left + TILE] = tile
        sheet[HEADER + TILE :, left : left + TILE] = beside
    write_picture(path, sheet)


def _project(view: View, points: np.ndarray) -> np.ndarray:
    """Return pixels (J, 2) of points (J, 3) in the camera."""
    return (points / points[:, 2:] @ view.K.T)[:, :2]


def _from_the_side(view: View, points: np.ndarray) -> np.ndarray:
    """Return points (J, 3) in the camera as (J, 2): along the view made horizontal, and down."""
    along = view.R[2] * (1, 1, 0)
    along /= np.linalg.norm(along)
    in_world = points @ view.R
    return np.stack((in_world @ along, -in_world[:, 2]), axis=1)


def _draw_bones(image: np.ndarray, pixels: np.ndarray, colour: Colour) -> None:
    draw_segments(image, pixels[np.array(LIMB_BONES)], colour, 2)
