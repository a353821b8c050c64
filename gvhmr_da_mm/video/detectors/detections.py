"""Detected people of one image."""

from typing import NamedTuple, Optional

import numpy as np

from ...core.layout import NUM_COCO

MIN_CONFIDENCE = 0.3
"""Less confident keypoints are ignored when a box is fitted."""
MIN_KEYPOINTS = 4
"""Fewest confident keypoints to which a box is fitted."""
BOX_MARGIN = 0.08
"""Margin on each side, as a share of the longer side, that covers hands, feet and hair."""


class Detections(NamedTuple):
    """P people of an image.

    Args:
        boxes (np.ndarray): Corners (P, 4) left, top, right, bottom, pixels.
        keypoints (np.ndarray): COCO-17 (P, 17, 3): pixels and confidence, 0 to 1.
        colours (np.ndarray, optional): Torso colours (P, 3), see :func:`torso_colours`. Defaults to
            None: not measured.
        new_scene (bool): Whether the image is the first of another scene. Defaults to False.
        maybe_new_scene (bool): Whether it may be, by its colours: it is if all people change as
            well. Defaults to False.
        joints (np.ndarray, optional): The detector's own 3D estimate of the keypoints (P, 17, 3),
            metres from the hips along the axes of the camera. Defaults to None: it makes none.
    """

    boxes: np.ndarray
    keypoints: np.ndarray
    colours: Optional[np.ndarray] = None
    new_scene: bool = False
    maybe_new_scene: bool = False
    joints: Optional[np.ndarray] = None

    @classmethod
    def none(cls) -> 'Detections':
        """Return the detections of an image without people."""
        return cls(np.zeros((0, 4)), np.zeros((0, NUM_COCO, 3)))


def boxes_around(keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit boxes to keypoints.

    Args:
        keypoints (np.ndarray): Pixels and confidence (P, J, 3).

    Returns:
        tuple[np.ndarray, np.ndarray]: Corners (P, 4), pixels, and a mask (P,), bool, of the people
        with enough confident keypoints for a box.
    """
    confident = keypoints[..., 2] > MIN_CONFIDENCE
    with_box = confident.sum(axis=1) >= MIN_KEYPOINTS
    points = keypoints[..., :2]
    low = np.where(confident[..., None], points, np.inf).min(axis=1)
    high = np.where(confident[..., None], points, -np.inf).max(axis=1)
    low[~with_box], high[~with_box] = 0, 0
    margin = BOX_MARGIN * (high - low).max(axis=1, keepdims=True)
    return np.concatenate((low - margin, high + margin), axis=1), with_box
