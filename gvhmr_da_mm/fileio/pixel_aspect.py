"""Correction of videos whose pixels are not square."""

import cv2
import numpy as np

Stretch = tuple[float, float]


def pixel_stretch(capture: cv2.VideoCapture) -> Stretch:
    """Return the factors in x and y that make the pixels of a video square.

    Args:
        capture (cv2.VideoCapture): An open video with automatic rotation.
    """
    across, down = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
    ratio = across / down if across > 0 and down > 0 else 1.0
    # The ratio is that of the stored image, before its rotation. Images are never shrunk.
    if round(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 180 == 90:
        ratio = 1 / ratio
    return max(ratio, 1.0), max(1 / ratio, 1.0)


def with_square_pixels(image: np.ndarray, stretch: Stretch) -> np.ndarray:
    """Enlarge an image (H, W, 3), uint8, by the factors of :func:`pixel_stretch`."""
    if stretch == (1.0, 1.0):
        return image
    return cv2.resize(image, None, fx=stretch[0], fy=stretch[1], interpolation=cv2.INTER_LINEAR)
