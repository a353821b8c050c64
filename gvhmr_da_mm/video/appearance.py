"""Changes of scene between frames, and colours of torsos that tell people apart."""

from typing import NamedTuple, Optional

import cv2
import numpy as np

from .detectors.detections import MIN_CONFIDENCE

TORSO = (5, 6, 12, 11)
"""Shoulders and hips of COCO-17, in the order of the outline."""
MIN_TORSO_PIXELS = 5
"""Fewest pixels of which a torso colour is computed."""
_THUMBNAIL = 64
"""Side of the reduced frames that are compared, pixels."""
_BINS = 8
"""Histogram bins per colour channel."""
CUT_BRIGHTNESS = 20.0
"""Mean difference of grey values that a cut exceeds; lower values take fast pans for cuts."""
CUT_COLOURS = 0.4
"""Share of pixels of a new colour that a cut exceeds; lower values take flashes for cuts."""
POSSIBLE_SHARE = 0.5
"""Share of both limits beyond which it is a cut if nobody stays where he was."""


class SceneChange(NamedTuple):
    """How likely an image begins another scene than the one before."""

    sure: bool
    """Brightness and colours differ more than within a scene."""
    possible: bool
    """They differ as between similar scenes, or in a fast pan: the people have to decide."""


class SceneCuts:
    """Detect the frames of a video that begin another scene; call it on the frames in order."""

    def __init__(self) -> None:
        self._last: Optional[tuple[np.ndarray, np.ndarray]] = None

    def __call__(self, image: Optional[np.ndarray]) -> SceneChange:
        """Compare an RGB image (H, W, 3), uint8, with the last one."""
        if image is None:
            return SceneChange(False, False)
        small = cv2.resize(image, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
        gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        colours = cv2.calcHist([small], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3) / _THUMBNAIL**2
        last, self._last = self._last, (gray, colours)
        if last is None:
            return SceneChange(False, False)
        brightness = np.abs(gray - last[0]).mean() / CUT_BRIGHTNESS
        change = min(brightness, np.abs(colours - last[1]).sum() / 2 / CUT_COLOURS)
        return SceneChange(bool(change > 1), bool(change > POSSIBLE_SHARE))


def torso_colours(image: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """Return the median torso colour of each person.

    Args:
        image (np.ndarray): RGB image (H, W, 3), uint8.
        keypoints (np.ndarray): COCO-17 of the people (P, 17, 3): pixels and confidence.

    Returns:
        np.ndarray: CIELAB colours (P, 3), each channel 0 to 255; NaN for unseen torsos.
    """
    found = np.full((len(keypoints), 3), np.nan)
    for person, torso in enumerate(keypoints[:, TORSO]):
        if (torso[:, 2] < MIN_CONFIDENCE).any():
            continue
        corners = torso[:, :2]
        mask = np.zeros(image.shape[:2], np.uint8)
        outline = np.round(corners.mean(axis=0) + 0.8 * (corners - corners.mean(axis=0)))
        cv2.fillConvexPoly(mask, cv2.convexHull(outline.astype(np.int32)), 1)
        # In a side view, shoulders and hips enclose almost no area: the line adds pixels.
        top, bottom = outline[:2].mean(axis=0), outline[2:].mean(axis=0)
        width = max(1, round(0.2 * float(np.linalg.norm(top - bottom))))
        cv2.line(mask, top.astype(int).tolist(), bottom.astype(int).tolist(), 1, width)
        pixels = image[mask > 0]
        if len(pixels) >= MIN_TORSO_PIXELS:
            lab = cv2.cvtColor(np.ascontiguousarray(pixels[None]), cv2.COLOR_RGB2LAB)[0]
            found[person] = np.median(lab, axis=0)
    return found
