"""Window of an image that is scaled to a canvas."""

from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from .palette import BACKGROUND, PANEL
from .view_camera import ViewCamera

MIN_HEIGHT = 16
"""Smallest height of a video that is asked for, px."""


@dataclass(frozen=True)
class Window:
    """A rectangle of an image, possibly beyond its borders, scaled to a canvas.

    Attributes:
        left (float): Left border in the image, px.
        top (float): Top border in the image, px.
        scale (float): Canvas pixels per image pixel.
        width (int): Width of the canvas, px.
        height (int): Height of the canvas, px.
    """

    left: float
    top: float
    scale: float
    width: int
    height: int

    @classmethod
    def whole(cls, img_shape: tuple[int, int], height: int) -> 'Window':
        """Return the window of a whole image of (height, width) px, scaled to a height."""
        scale = height / img_shape[0]
        return cls(0.0, 0.0, scale, round(img_shape[1] * scale), height)

    @classmethod
    def around(cls, pixels: np.ndarray, size: int, margin: float = 1.35) -> 'Window':
        """Return a square window around points (N, 2), px, enlarged by a factor ``margin``."""
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        side = max(float((high - low).max()) * margin, 16.0)
        left, top = (low + high) / 2 - side / 2
        return cls(float(left), float(top), size / side, size, size)

    def camera(self, K: np.ndarray) -> ViewCamera:
        """Return the camera of the canvas for intrinsics K (3, 3) of the image."""
        K = np.array(K, dtype=np.float64)
        K[:2, 2] -= (self.left, self.top)
        K[:2] *= self.scale
        return ViewCamera(K, self.width, self.height)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Map image coordinates (..., 2) to the canvas."""
        return (points - np.array([self.left, self.top])) * self.scale

    def canvas(self, img_shape: tuple[int, int], picture: Optional[np.ndarray]) -> np.ndarray:
        """Return the canvas (height, width, 3) with the image, or a dark area in its place.

        Args:
            img_shape (tuple[int, int]): Height and width of the image of this window, px.
            picture (np.ndarray, optional): RGB (h, w, 3), uint8, of any size with the aspect ratio
                of ``img_shape``.
        """
        canvas = np.full((self.height, self.width, 3), BACKGROUND, np.uint8)
        if picture is None:
            corners = self.pixels(np.array([[0, 0], img_shape[::-1]], dtype=float))
            low, high = np.clip(corners, -1, [self.width, self.height]).astype(int)
            cv2.rectangle(canvas, low.tolist(), high.tolist(), PANEL, cv2.FILLED)
            return canvas
        scale = self.scale * img_shape[0] / picture.shape[0]
        if picture.shape == canvas.shape and not (self.left or self.top) and abs(scale - 1) < 1e-3:
            return picture.copy()
        if scale < 0.5:
            # A warp samples single pixels: average first for a large reduction.
            size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            scale = 1.0
        shift = -np.array([self.left, self.top]) * self.scale
        # OpenCV's origin is the centre of pixel (0, 0), that of a window its corner.
        shift += 0.5 * scale - 0.5
        cv2.warpAffine(
            picture,
            np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]),
            (self.width, self.height),
            dst=canvas,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        return canvas
