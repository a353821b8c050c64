"""One person's keypoints by MediaPipe, whose weights come inside its wheel."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Optional

import numpy as np

from ...core.errors import ConfigError
from ...registry import TASK_UTILS
from .detections import Detections, boxes_around

STDERR = 2
"""File descriptor of the error output."""
LANDMARKS = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""MediaPipe's landmarks that are COCO's 17 keypoints, in their order."""


def import_mediapipe() -> ModuleType:
    """Import MediaPipe.

    Raises:
        ConfigError: Saying how to install it, or what does without.
    """
    try:
        import mediapipe
        from mediapipe.python.solutions import pose  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f'keypoints=mediapipe needs MediaPipe with its legacy solutions, which is not there '
            f'({error}). Install it with `pip install --no-deps -r requirements/mediapipe.txt` '
            '(docs/en/install.md), or give a file of keypoints, or use MMPose'
        ) from error
    return mediapipe


@contextmanager
def silenced_native_errors() -> Iterator[None]:
    """Discard what compiled code writes to the error output; errors of Python are raised anyway."""
    sys.stderr.flush()
    kept = os.dup(STDERR)
    with open(os.devnull, 'wb') as nowhere:
        os.dup2(nowhere.fileno(), STDERR)
    try:
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)


@TASK_UTILS.register_module()
class MediaPipePose:
    """Detect the most prominent person of a video, on the CPU and without a download.

    Note:
        MediaPipe follows one person. Frames are to be given in order; the person is looked for
        anew where lost. Use MMPose for videos with several people.

    Args:
        model_complexity (int): 1 is the model inside the wheel (BlazePose full). 0 and 2 are
            downloaded by MediaPipe. Defaults to 1.
        min_confidence (float): Of detection and tracking, 0 to 1. Defaults to 0.5.
        smooth (bool): MediaPipe's own filter over time. Defaults to True.

    Raises:
        ConfigError: If MediaPipe is not installed.

    Source: Bazarevsky et al., BlazePose, 2020.
    """

    needs_images = True

    def __init__(
        self, model_complexity: int = 1, min_confidence: float = 0.5, smooth: bool = True
    ) -> None:
        with silenced_native_errors():
            self._pose = import_mediapipe().solutions.pose.Pose(
                model_complexity=model_complexity,
                smooth_landmarks=smooth,
                min_detection_confidence=min_confidence,
                min_tracking_confidence=min_confidence,
            )
        self._quiet = silenced_native_errors
        # It sets up absl's logging, which would repeat every message of ours.
        logging.getLogger('absl').propagate = False

    def __enter__(self) -> 'MediaPipePose':
        return self

    def __exit__(self, *error: object) -> None:
        """Free the graph."""
        self._pose.close()

    def __call__(self, image: Optional[np.ndarray], number: int) -> Detections:
        """Return the person of an RGB picture (H, W, 3), uint8; nobody for None."""
        if image is None:
            return Detections.none()
        # It warns of its own settings with the first picture.
        with self._quiet():
            found = self._pose.process(image).pose_landmarks
        self._quiet = nullcontext
        if found is None:
            return Detections.none()
        height, width = image.shape[:2]
        points = np.array([[p.x * width, p.y * height, p.visibility] for p in found.landmark])
        # What it guesses beyond the border is no observation.
        inside = ((points[:, :2] >= 0) & (points[:, :2] <= (width, height))).all(axis=1)
        points[:, 2] *= inside
        boxes, with_box = boxes_around(points[None])
        return Detections(boxes[with_box], points[None, LANDMARKS][with_box])
