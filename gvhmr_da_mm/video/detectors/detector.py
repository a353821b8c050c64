"""Base class of detectors."""

from typing import Optional

import numpy as np

from .detections import Detections


class Detector:
    """Find people and their keypoints in one image after another, as a context manager.

    Attributes:
        needs_images (bool): Whether it looks at images; others know the keypoints by the number of
            the image.
    """

    needs_images = True

    def __enter__(self) -> 'Detector':
        return self

    def __exit__(self, *error: object) -> None:
        """Free what the detector holds; by default nothing."""

    def __call__(self, image: Optional[np.ndarray], number: int) -> Detections:
        """Return the people of an image.

        Args:
            image (np.ndarray, optional): RGB (H, W, 3), uint8; None if it cannot be decoded.
            number (int): Its number in the video.
        """
        raise NotImplementedError
