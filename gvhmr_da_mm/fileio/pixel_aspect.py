"""Videos whose pixels are not square."""

import cv2
import numpy as np

Stretch = tuple[float, float]


def pixel_stretch(capture: cv2.VideoCapture) -> Stretch:
    """Return by how much pictures are enlarged in x and y, so that their pixels are square.

    Args:
        capture (cv2.VideoCapture): An open video that turns its pictures upright.
    """
    across, down = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
    ratio = across / down if across > 0 and down > 0 else 1.0
    # The ratio is that of the stored picture, before it is turned. Nothing is made smaller.
    if round(capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 180 == 90:
        ratio = 1 / ratio
    return max(ratio, 1.0), max(1 / ratio, 1.0)


def with_square_pixels(image: np.ndarray, stretch: Stretch) -> np.ndarray:
    """Enlarge a picture (H, W, 3), uint8, as :func:`pixel_stretch` says."""
    if stretch == (1.0, 1.0):
        return image
    return cv2.resize(image, None, fx=stretch[0], fy=stretch[1], interpolation=cv2.INTER_LINEAR)
