"""Text on images, in a font that is legible at small sizes, unlike OpenCV's."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .palette import TEXT, Colour

LINE_SPACING = 1.3
SHADE = 0.55
"""Darkening of the box behind lines of text, 0 (none) to 1 (black)."""


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    import matplotlib  # Late: only for its fonts, and slow.

    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / name), size)


@lru_cache(maxsize=1024)
def _coverage(text: str, size: int, bold: bool) -> np.ndarray:
    """Return the coverage (H, W), 0 to 1, of a rendered line; H depends on the font only."""
    font = _font(size, bold)
    ascent, descent = font.getmetrics()
    width = max(1, int(np.ceil(font.getlength(text))))
    mask = Image.new('L', (width, ascent + descent))
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
    return np.asarray(mask, dtype=np.float32) / 255


def text_size(text: str, size: int, bold: bool = False) -> tuple[int, int]:
    """Return width and height in px of a line of text."""
    height, width = _coverage(text, size, bold).shape
    return width, height


def draw_text(
    image: np.ndarray,
    text: str,
    position: tuple[float, float],
    size: int = 14,
    colour: Colour = TEXT,
    anchor: str = 'left',
    bold: bool = False,
) -> None:
    """Draw a line of text in place, clipped to the image.

    Args:
        image (np.ndarray): RGB image (H, W, 3), uint8, changed in place.
        text (str): The line.
        position (tuple[float, float]): x of the anchor and y of the top, px.
        size (int): Height of the font in px. Defaults to 14.
        colour (Colour): RGB. Defaults to light grey.
        anchor (str): Part of the text at x: ``'left'``, ``'centre'`` or ``'right'``. Defaults to
            ``'left'``.
        bold (bool): Use the bold font. Defaults to False.
    """
    coverage = _coverage(text, size, bold)
    height, width = coverage.shape
    left = round(position[0] - {'left': 0, 'centre': width / 2, 'right': width}[anchor])
    top = round(position[1])
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, image.shape[1]), min(top + height, image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    alpha = coverage[y0 - top : y1 - top, x0 - left : x1 - left, None]
    region = image[y0:y1, x0:x1]
    region[:] = np.round(region + (np.array(colour, np.float32) - region) * alpha)


def draw_lines(
    image: np.ndarray,
    lines: Sequence[str],
    position: tuple[float, float],
    size: int = 14,
) -> None:
    """Draw lines of text in place on a darkened box, legible on any image.

    Args:
        image (np.ndarray): RGB image (H, W, 3), uint8, changed in place.
        lines (Sequence[str]): The lines; without any, nothing is drawn.
        position (tuple[float, float]): Top left corner of the box, px.
        size (int): Height of the font in px. Defaults to 14.
    """
    if not lines:
        return
    x, y = round(position[0]), round(position[1])
    padding, step = max(2, size // 3), round(size * LINE_SPACING)
    width = max(text_size(line, size)[0] for line in lines) + 2 * padding
    box = image[max(y, 0) : y + step * len(lines) + padding, max(x, 0) : x + width]
    box[:] = (box * (1 - SHADE)).astype(np.uint8)
    for index, line in enumerate(lines):
        draw_text(image, line, (x + padding, y + padding // 2 + index * step), size)
