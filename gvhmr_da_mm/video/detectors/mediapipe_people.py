"""Poses of several people by the networks in MediaPipe's wheel."""

import math
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...core.boxes import box_overlap
from .detections import boxes_around

DETECTION_GRAPH = """
input_stream: "image"
output_stream: "detections"
node {
  calculator: "PoseDetectionCpu"
  input_stream: "IMAGE:image"
  output_stream: "DETECTIONS:detections"
}
"""
LANDMARK_GRAPH = """
input_stream: "image"
input_stream: "region"
input_side_packet: "model_complexity"
output_stream: "landmarks"
output_stream: "world_landmarks"
output_stream: "circle"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_side_packet: "MODEL_COMPLEXITY:model_complexity"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "WORLD_LANDMARKS:world_landmarks"
  output_stream: "AUXILIARY_LANDMARKS:circle"
}
"""
REGION_SCALE = 1.25
"""Side of a region in diameters of the circle around the person, as in MediaPipe's own graph."""
MIN_CENTRE_DISTANCE = 0.25
"""A detection nearer to the centre of a followed person is that person; in sides of regions."""
MAX_OVERLAP = 0.6
"""Poses whose boxes overlap by more are of one person, or hide each other."""


class _Region(NamedTuple):
    """Square that contains a person, whose body is upright in it."""

    centre: np.ndarray
    """Pixels (2,)."""
    side: float
    """Pixels."""
    turn: float
    """Radians, clockwise."""

    @classmethod
    def of_circle(cls, hips: np.ndarray, top: np.ndarray) -> '_Region':
        """Return the region of a circle by its centre and its point above the head, pixels (2,)."""
        across, down = top - hips
        side = 2 * REGION_SCALE * float(np.hypot(across, down))
        return cls(hips, side, float(np.pi / 2 - np.arctan2(-down, across)))

    def is_of(self, other: '_Region') -> bool:
        """Return whether both regions are of one person."""
        distance = np.linalg.norm(self.centre - other.centre)
        return bool(distance < MIN_CENTRE_DISTANCE * min(self.side, other.side))


class MediaPipePeople:
    """Find the poses of several people: a detector for all, then landmarks for each.

    Each person is followed from the last frame, as by MediaPipe's own graph of one person. Others
    are searched in the image and in one of several squares of it. There is no filter over time.

    Args:
        mediapipe (ModuleType): MediaPipe with the legacy API.
        max_people (int): People of a frame beyond this number are left out.
        complexity (int): Of the network of landmarks, see :class:`MediaPipePose`.
        confidence (float): Least score of a detection.
    """

    def __init__(
        self, mediapipe: ModuleType, max_people: int, complexity: int, confidence: float
    ) -> None:
        from google.protobuf import text_format
        from mediapipe.framework import calculator_pb2
        from mediapipe.framework.formats import rect_pb2
        from mediapipe.python._framework_bindings import resource_util
        from mediapipe.python.solution_base import SolutionBase
        from mediapipe.python.solutions import pose  # noqa: F401  (registers the calculators)

        # Where the networks are; otherwise only set for graphs in files.
        resource_util.set_resource_dir(str(Path(mediapipe.__file__).parents[1]))
        self.max_people, self.confidence = max_people, confidence
        self._rectangle = rect_pb2.NormalizedRect
        detection, landmarks = (
            text_format.Parse(text, calculator_pb2.CalculatorGraphConfig())
            for text in (DETECTION_GRAPH, LANDMARK_GRAPH)
        )
        self._detection = SolutionBase(graph_config=detection, outputs=['detections'])
        self._landmarks = SolutionBase(
            graph_config=landmarks,
            side_inputs=dict(model_complexity=complexity),
            outputs=['landmarks', 'world_landmarks', 'circle'],
        )
        self._followed: list[_Region] = []
        self._num_images = 0

    def close(self) -> None:
        """Free MediaPipe's graphs."""
        self._detection.close()
        self._landmarks.close()

    def find(self, image: np.ndarray) -> list[tuple[Sequence, Sequence]]:
        """Return the 33 landmarks of each person, in the image and in metres."""
        size = np.array(image.shape[1::-1])
        regions = list(self._followed)
        for region in self._detect(image, size):
            if not any(region.is_of(other) for other in regions):
                regions.append(region)
        people, boxes, self._followed = [], np.zeros((0, 4)), []
        for region in regions:
            if len(people) == self.max_people:
                break
            found = self._landmarks.process(
                dict(image=image, region=self._normalized(region, size))
            )
            if found.landmarks is None:
                continue
            landmarks = found.landmarks.landmark
            points = np.array([[p.x * size[0], p.y * size[1], p.visibility] for p in landmarks])
            box, with_box = boxes_around(points[None])
            if not with_box[0] or (box_overlap(box, boxes) > MAX_OVERLAP).any():
                continue
            people.append((landmarks, found.world_landmarks.landmark))
            boxes = np.concatenate((boxes, box))
            self._followed.append(_Region.of_circle(*_pixels(found.circle.landmark, size)))
        return people

    def _detect(self, image: np.ndarray, size: np.ndarray) -> list[_Region]:
        """Return the regions of the people whom the detector finds, the surest first.

        It sees large people in the whole image and smaller ones in squares, which take turns.
        """
        squares = self._squares(size)
        parts = [(0, 0, *size), *squares[self._num_images % max(len(squares), 1) :][:1]]
        self._num_images += 1
        found = []
        for x, y, width, height in parts:
            part = np.ascontiguousarray(image[y : y + height, x : x + width])
            for detection in self._detection.process(dict(image=part)).detections or []:
                if detection.score[0] >= self.confidence:
                    circle = _pixels(detection.location_data.relative_keypoints, (width, height))
                    found.append((detection.score[0], _Region.of_circle(*(circle + (x, y)))))
        return [region for _, region in sorted(found, key=lambda entry: -entry[0])]

    @staticmethod
    def _squares(size: np.ndarray) -> list[tuple[int, ...]]:
        """Return squares (left, top, width, height) that cover an image, half over each other."""
        side, spare = int(size.min()), int(size.max() - size.min())
        steps = math.ceil(2 * spare / side)
        along = (size > side).astype(int)
        return [
            (*(along * spare * step // steps), side, side) for step in range(steps + 1) if steps
        ]

    def _normalized(self, region: _Region, size: np.ndarray) -> Any:
        (x, y), (width, height) = region.centre / size, region.side / size
        return self._rectangle(
            x_center=x, y_center=y, width=width, height=height, rotation=region.turn
        )


def _pixels(points: Sequence, size: Sequence[int]) -> np.ndarray:
    """Return the first two points (2, 2) of an image in pixels."""
    return np.array([[point.x, point.y] for point in points[:2]]) * size
