"""The part of a picture that is shown, and its size on the canvas."""

from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from .palette import BACKGROUND, PANEL
from .view_camera import ViewCamera


@dataclass(frozen=True)
class Window:
    """A rectangle of a picture, which may reach beyond its borders, scaled to a canvas.

    Attributes:
        left (float): Left border in the picture, px.
        top (float): Top border in the picture, px.
        scale (float): Canvas pixels per pixel of the picture.
        width (int): Of the canvas, px.
        height (int): Of the canvas, px.
    """

    left: float
    top: float
    scale: float
    width: int
    height: int

    @classmethod
    def whole(cls, img_shape: tuple[int, int], height: int) -> 'Window':
        """Show a whole picture of (height, width) px, scaled to a height."""
        scale = height / img_shape[0]
        return cls(0.0, 0.0, scale, round(img_shape[1] * scale), height)

    @classmethod
    def around(cls, pixels: np.ndarray, size: int, margin: float = 1.35) -> 'Window':
        """Show a square around points (N, 2), enlarged by a margin."""
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        side = max(float((high - low).max()) * margin, 16.0)
        left, top = (low + high) / 2 - side / 2
        return cls(float(left), float(top), size / side, size, size)

    def camera(self, K: np.ndarray) -> ViewCamera:
        """Return the camera of the canvas, for intrinsics K (3, 3) of the picture."""
        K = np.array(K, dtype=np.float64)
        K[:2, 2] -= (self.left, self.top)
        K[:2] *= self.scale
        return ViewCamera(K, self.width, self.height)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Move picture coordinates (..., 2) to the canvas."""
        return (points - np.array([self.left, self.top])) * self.scale

    def canvas(self, img_shape: tuple[int, int], picture: Optional[np.ndarray]) -> np.ndarray:
        """Return the canvas (height, width, 3) with the picture on it, or its dark outline.

        Args:
            img_shape (tuple[int, int]): Height and width in which this window is measured, px.
            picture (np.ndarray, optional): RGB (h, w, 3), uint8, of any size with that shape's
                proportions.
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
            # A warp samples single pixels; average first where the picture gets much smaller.
            size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            scale = 1.0
        shift = -np.array([self.left, self.top]) * self.scale
        # OpenCV counts from the centre of pixel (0, 0), a window from its corner.
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
