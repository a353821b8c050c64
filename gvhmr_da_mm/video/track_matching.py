"""Agreement of tracks of people with the detections of the next frame.

Note:
    T tracks, P detected people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from pycocotools.cocoeval import Params

from ..core.boxes import box_overlap
from .detectors.detections import MIN_CONFIDENCE, Detections

MAX_JUMP = 0.2
"""Largest median motion of one person's keypoints, in sizes of the smaller box."""
MAX_COLOUR_CHANGE = 40.0
"""Largest distance of one person's torso colours, CIELAB of 0 to 255 per channel."""
VELOCITY_FRAMES = 8
"""Frames over which the velocity of a track is measured."""
MAX_PREDICTED_FRAMES = 15
"""A track without detection stands still after so many frames, as its velocity is a guess."""
GAP_TOLERANCE = 0.25
"""Growth of the tolerance of keypoints with each frame without detection, as a share."""
GAP_COST = 0.05
"""Loss of agreement with each frame without detection: who was seen last goes first."""
REMEMBERED_COLOURS = 15
"""Number of the last torso colours whose median is the person's."""
COLOUR_WEIGHT = 0.5
"""Share of the agreement that other clothes take away."""
_SIGMAS = Params('keypoints').kpt_oks_sigmas


@dataclass
class OpenTrack:
    """A track that may go on.

    Args:
        rows (list[tuple[int, int]]): Numbers of frame and of person in it, in order.
        colours (list[np.ndarray]): Measured torso colours (3,), CIELAB.
    """

    rows: list[tuple[int, int]]
    colours: list[np.ndarray] = field(default_factory=list)

    def add(self, frames: Sequence[Detections], number: int, person: int) -> None:
        """Append a person of a frame."""
        self.rows.append((number, person))
        colours = frames[number].colours
        if colours is not None and np.isfinite(colours[person]).all():
            self.colours = [*self.colours, colours[person]][-REMEMBERED_COLOURS:]

    @property
    def colour(self) -> np.ndarray:
        """The person's torso colour (3,); NaN if it was never measured."""
        return np.median(self.colours, axis=0) if self.colours else np.full(3, np.nan)

    def predict(self, frames: Sequence[Detections], number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return box (4,) and keypoints (17, 3) in a frame, at constant velocity."""
        last, person = self.rows[-1]
        box, keypoints = frames[last].boxes[person], frames[last].keypoints[person].copy()
        before = [row for row in self.rows[:-1] if row[0] >= last - VELOCITY_FRAMES]
        if not before:
            return box, keypoints
        first, person = before[0]
        earlier = frames[first].keypoints[person]
        both = np.minimum(earlier[:, 2], keypoints[:, 2]) > MIN_CONFIDENCE
        if not both.any():
            return box, keypoints
        moved = np.median((keypoints - earlier)[both, :2], axis=0) / (last - first)
        shift = moved * min(number - last, MAX_PREDICTED_FRAMES)
        keypoints[:, :2] += shift
        return box + np.tile(shift, 2), keypoints


def agreement(
    tracks: Sequence[OpenTrack], frames: Sequence[Detections], number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Compare tracks with the people of a frame.

    Args:
        tracks (Sequence[OpenTrack]): T tracks.
        frames (Sequence[Detections]): The people of each frame.
        number (int): Number of the frame.

    Returns:
        tuple[np.ndarray, np.ndarray]: Agreement (T, P), 0 to 1: the mean of the overlap of the
        predicted with the detected box and of the similarity of the keypoints, less where the
        clothes differ; and the overlap (T, P) alone.
    """
    people = frames[number]
    boxes, keypoints, gaps = [], [], []
    for track in tracks:
        box, points = track.predict(frames, number)
        boxes.append(box)
        keypoints.append(points)
        gaps.append(number - track.rows[-1][0] - 1)
    overlap = box_overlap(np.reshape(boxes, (-1, 4)), people.boxes)
    gaps = np.array(gaps)
    similarity = keypoint_similarity(
        np.reshape(keypoints, (-1, *people.keypoints.shape[1:])), people, 1 + GAP_TOLERANCE * gaps
    )
    clothes = 1 - COLOUR_WEIGHT * _other_clothes(tracks, people)
    return (overlap + similarity) / 2 * clothes / (1 + GAP_COST * gaps[:, None]), overlap


def keypoint_similarity(
    keypoints: np.ndarray, people: Detections, tolerance: np.ndarray
) -> np.ndarray:
    """Return the object keypoint similarity (T, P) of COCO over the keypoints that both have.

    Args:
        keypoints (np.ndarray): Pixels and confidence (T, 17, 3).
        people (Detections): P people.
        tolerance (np.ndarray): Factors (T,) of the tolerated distances.
    """
    area = np.maximum(people.boxes[:, 2:] - people.boxes[:, :2], 1).prod(axis=1)
    a, b = keypoints[:, None], people.keypoints[None]
    distance = np.square(a[..., :2] - b[..., :2]).sum(axis=-1)
    limit = 2 * area[None, :, None] * np.square(2 * _SIGMAS * tolerance[:, None, None])
    both = np.minimum(a[..., 2], b[..., 2]) > MIN_CONFIDENCE
    return (np.exp(-distance / limit) * both).sum(axis=-1) / np.maximum(both.sum(axis=-1), 1)


def _other_clothes(tracks: Sequence[OpenTrack], people: Detections) -> np.ndarray:
    """Return the difference of torso colours (T, P), from 0 to 1; 0 where one is unknown."""
    if people.colours is None or not tracks:
        return np.zeros((len(tracks), len(people.boxes)))
    own = np.stack([track.colour for track in tracks])
    distance = np.linalg.norm(own[:, None] - people.colours[None], axis=-1)
    return np.nan_to_num(np.minimum(distance / MAX_COLOUR_CHANGE, 1))


def is_somebody_else(
    track: OpenTrack, frames: Sequence[Detections], number: int, person: int
) -> bool:
    """Return whether a person of a frame differs from a track in both place and colour."""
    (last, before), now = track.rows[-1], frames[number]
    if frames[last].colours is None or now.colours is None:
        return False
    box, keypoints = track.predict(frames, number)
    size = min(np.ptp(corners.reshape(2, 2), axis=0).max() for corners in (box, now.boxes[person]))
    moved = np.linalg.norm(now.keypoints[person, :, :2] - keypoints[:, :2], axis=-1)
    # Either alone also occurs within one track: light and poses change.
    jumped = np.median(moved) > MAX_JUMP * size
    change = np.linalg.norm(now.colours[person] - frames[last].colours[before])
    return bool(jumped and change > MAX_COLOUR_CHANGE)
