"""Keypoints of people by MediaPipe, through its legacy or its Tasks API."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Optional

import numpy as np

from ...core.checks import check_at_least
from ...core.errors import ConfigError, MissingFilesError
from ...registry import TASK_UTILS
from .detections import Detections, boxes_around
from .detector import Detector
from .mediapipe_people import MediaPipePeople

STDERR = 2
"""File descriptor of the error stream."""
QUIET_IMAGES = 10
"""Images after which MediaPipe's threads have printed their warnings."""
LANDMARKS = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""MediaPipe's landmarks of COCO's 17 keypoints, in their order."""
FRAME_MILLISECONDS = 33
"""Time between frames for the temporal filter of the Tasks API, which takes integers."""
_Landmarks = tuple[Sequence, Sequence]


@contextmanager
def silenced_native_errors() -> Iterator[None]:
    """Discard what compiled code writes to the error stream; Python exceptions still propagate."""
    sys.stderr.flush()
    kept = os.dup(STDERR)
    with open(os.devnull, 'wb') as nowhere:
        os.dup2(nowhere.fileno(), STDERR)
    try:
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)


def import_mediapipe() -> ModuleType:
    """Import MediaPipe and its pose API: legacy ``solutions`` or, since 0.10.30, ``tasks``.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        with silenced_native_errors():
            import mediapipe

            try:
                from mediapipe.python.solutions import pose  # noqa: F401
            except ModuleNotFoundError:
                from mediapipe.tasks.python import vision  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f'keypoints=mediapipe needs MediaPipe, which cannot be imported '
            f'({error}). Install it with `pip install --no-deps -r requirements/mediapipe.txt` '
            '(docs/en/install.md), or give a file of keypoints, or use MMPose'
        ) from error
    return mediapipe


class _Solution:
    """The pose of one person by the legacy API, whose models are in its wheel."""

    def __init__(
        self, mediapipe: ModuleType, complexity: int, confidence: float, smooth: bool
    ) -> None:
        self._pose = mediapipe.solutions.pose.Pose(
            model_complexity=complexity,
            smooth_landmarks=smooth,
            min_detection_confidence=confidence,
            min_tracking_confidence=confidence,
        )
        self.close = self._pose.close

    def find(self, image: np.ndarray) -> list[_Landmarks]:
        """Return the 33 landmarks of the person, if there is one, in the image and in metres."""
        found = self._pose.process(image)
        if found.pose_landmarks is None:
            return []
        return [(found.pose_landmarks.landmark, found.pose_world_landmarks.landmark)]


class _Task:
    """Poses by the Tasks API, from a model file."""

    def __init__(
        self, mediapipe: ModuleType, model: Path, max_people: int, confidence: float
    ) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        self._make_image = mediapipe.Image
        self._format = mediapipe.ImageFormat.SRGB
        self._landmarker = vision.PoseLandmarker.create_from_options(
            vision.PoseLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(model)),
                running_mode=vision.RunningMode.VIDEO,
                num_poses=max_people,
                min_pose_detection_confidence=confidence,
                min_tracking_confidence=confidence,
            )
        )
        self._time = 0
        self.close = self._landmarker.close

    def find(self, image: np.ndarray) -> list[_Landmarks]:
        """Return the 33 landmarks of each person in the image and in metres."""
        self._time += FRAME_MILLISECONDS
        image = self._make_image(image_format=self._format, data=np.ascontiguousarray(image))
        found = self._landmarker.detect_for_video(image, self._time)
        return list(zip(found.pose_landmarks, found.pose_world_landmarks))


@TASK_UTILS.register_module()
class MediaPipePose(Detector):
    """Detect the people of a video, on the CPU and without a download.

    Note:
        Use it in a ``with`` block: the error stream is silent until the first images are through.
        Pass the frames in order: people are followed from the last one.

    Args:
        max_people (int): 1 for the most prominent person, or the largest number of people.
            Defaults to 1.
        model_complexity (int): 1 is the model inside the wheel (BlazePose full). 0 and 2 are
            downloaded by MediaPipe. Legacy API (up to 0.10.21) only. Defaults to 1.
        min_confidence (float): Least confidence of detection and tracking, 0 to 1. Defaults to
            0.5.
        smooth (bool): Whether to use MediaPipe's temporal filter. The Tasks API always does; for
            several people the legacy API has none. Defaults to True.
        model (str, optional): A file such as ``pose_landmarker_full.task`` of MediaPipe's site,
            which the Tasks API needs. Defaults to None.

    Raises:
        ConfigError: If MediaPipe is not installed, the Tasks API gets no model, or ``max_people``
            is below 1.
        MissingFilesError: If there is no such file.

    Source: Bazarevsky et al., BlazePose, 2020.
    """

    def __init__(
        self,
        max_people: int = 1,
        model_complexity: int = 1,
        min_confidence: float = 0.5,
        smooth: bool = True,
        model: Optional[str] = None,
    ) -> None:
        check_at_least(1, max_people=max_people)
        mediapipe = import_mediapipe()
        with ExitStack() as quiet:
            quiet.enter_context(silenced_native_errors())
            if not hasattr(mediapipe, 'solutions'):
                file = _model_file(model, mediapipe)
                self._pose = _Task(mediapipe, file, max_people, min_confidence)
            elif max_people == 1:
                self._pose = _Solution(mediapipe, model_complexity, min_confidence, smooth)
            else:
                self._pose = MediaPipePeople(
                    mediapipe, max_people, model_complexity, min_confidence
                )
            # Its threads print after the calls that started them have returned.
            self._quiet, self._num_images = quiet.pop_all(), 0
        # MediaPipe sets up absl's logging, which would repeat every log message.
        logging.getLogger('absl').propagate = False

    def __exit__(self, *error: object) -> None:
        """Free MediaPipe's graph."""
        with self._quiet:
            self._pose.close()

    def __call__(self, image: Optional[np.ndarray], number: int) -> Detections:
        """Return the people of an RGB image (H, W, 3), uint8; nobody for None."""
        if image is None:
            return Detections.none()
        found = self._pose.find(image)
        self._num_images += 1
        if self._num_images == QUIET_IMAGES:
            self._quiet.close()
        if not found:
            return Detections.none()
        size = np.array(image.shape[1::-1])
        in_image, in_metres = zip(*found)
        points = np.array([[[p.x, p.y, p.visibility] for p in person] for person in in_image])
        joints = np.array([[[p.x, p.y, p.z] for p in person] for person in in_metres])
        points[..., :2] *= size
        # Landmarks outside the image are guesses: they get confidence 0.
        points[..., 2] *= ((points[..., :2] >= 0) & (points[..., :2] <= size)).all(axis=-1)
        boxes, with_box = boxes_around(points)
        keypoints, joints = points[:, LANDMARKS], joints[:, LANDMARKS]
        return Detections(boxes[with_box], keypoints[with_box], joints=joints[with_box])


def _model_file(model: Optional[str], mediapipe: ModuleType) -> Path:
    """Return the model file; raise with where to get it if missing."""
    how = (
        'download `pose_landmarker_full.task` from the site of MediaPipe and give '
        '`--options detector.model=FILE`'
    )
    if model is None:
        version = getattr(mediapipe, '__version__', 'this version')
        raise ConfigError(f'MediaPipe {version} has no model of poses in its wheel: {how}')
    if not Path(model).is_file():
        raise MissingFilesError(f'the model file {model} does not exist: {how}')
    return Path(model)
