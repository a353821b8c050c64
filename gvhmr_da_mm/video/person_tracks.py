"""Tracks of people through a video, linked by motion, keypoints and clothes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..core.checks import check_choice
from .detectors.detections import Detections
from .track_matching import OpenTrack, agreement, is_somebody_else

PEOPLE_CHOICES = ('largest', 'longest', 'all')
MIN_STAYING = 0.1
"""Least agreement of a person who is seen on both sides of what may be a cut."""
MIN_GAIN = 0.1
"""Least gain of agreement over the exchange of two people; with less, both tracks end."""


@dataclass
class PersonTrack:
    """One person from the first to the last frame with a detection.

    Args:
        start (int): The first frame.
        boxes (np.ndarray): Corners (L, 4), pixels, interpolated where there is no detection.
        keypoints (np.ndarray): COCO-17 (L, 17, 3), interpolated in the same frames.
        seen (np.ndarray): Frames with a detection (L,), bool.
        end (str): Why the track was ended though a box followed. Defaults to '': the person was
            lost.
        scene (int): Number of the scene, between two cuts. Defaults to 0.
    """

    start: int
    boxes: np.ndarray
    keypoints: np.ndarray
    seen: np.ndarray
    end: str = ''
    scene: int = 0

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def area(self) -> float:
        """Sum of the box areas over the frames with a detection, square pixels."""
        size = np.maximum(self.boxes[self.seen, 2:] - self.boxes[self.seen, :2], 0)
        return float(size.prod(axis=1).sum())


def link_tracks(
    frames: Sequence[Detections], min_overlap: float = 0.2, max_gap: int = 30
) -> list[PersonTrack]:
    """Link the detections of successive frames to tracks.

    Tracks are continued at constant velocity and matched by boxes, keypoints and clothes, so that
    they go on behind other people. A track ends at a new scene, where the keypoints jump and the
    torso changes its colour (a detector of one person switches to another when two cross), and
    where two people may have been exchanged.

    Args:
        frames (Sequence[Detections]): The people of each frame, in order.
        min_overlap (float): Least intersection over union of a box and the predicted box of its
            track. Defaults to 0.2.
        max_gap (int): A track without detection for more frames than this ends. Defaults to 30.

    Returns:
        list[PersonTrack]: In the order of their first frames.

    Source: constant velocity and optimal assignment as in Bewley et al., Simple Online and Realtime
    Tracking, 2016; similarity of keypoints as in COCO.
    """
    links = _Links(frames, min_overlap, max_gap)
    return [
        _fill(track.rows, frames, links.ends.get(id(track), ''), scene)
        for track, scene in zip(links.tracks, links.scenes)
    ]


def choose_tracks(
    tracks: Sequence[PersonTrack], choice: str = 'largest', min_frames: int = 30
) -> list[PersonTrack]:
    """Choose the tracks to keep.

    Args:
        tracks (Sequence[PersonTrack]): Tracks of a video.
        choice (str): ``largest`` (sum of box areas), ``longest`` (frames with a detection) or
            ``all``. Defaults to ``largest``.
        min_frames (int): People detected in fewer frames are dropped. Defaults to 30.

    Returns:
        list[PersonTrack]: One, or all; empty if nobody is detected long enough.

    Raises:
        ConfigError: If the choice is unknown.
    """
    check_choice(choice, PEOPLE_CHOICES, 'people')
    long_enough = [track for track in tracks if track.seen.sum() >= min_frames]
    if choice == 'all' or not long_enough:
        return long_enough
    size = {'largest': lambda t: t.area, 'longest': lambda t: t.seen.sum()}[choice]
    return [max(long_enough, key=size)]


class _Links:
    """Tracks, the scene of each, and why it ended; see :func:`link_tracks` for the arguments."""

    def __init__(self, frames: Sequence[Detections], min_overlap: float, max_gap: int) -> None:
        self.frames, self.min_overlap = frames, min_overlap
        self.tracks: list[OpenTrack] = []
        self.scenes: list[int] = []
        self.ends: dict[int, str] = {}
        self._scene = 0
        self._open: list[OpenTrack] = []
        for number in range(len(frames)):
            self._open = [t for t in self._open if number - t.rows[-1][0] <= max_gap + 1]
            self._add(number)

    def _add(self, number: int) -> None:
        """Continue tracks by the people of a frame, and begin new ones with the others."""
        people = self.frames[number]
        agreed, overlap = agreement(self._open, self.frames, number)
        possible = np.where(overlap >= self.min_overlap, agreed, 0.0)
        seen_before = [track.rows[-1][0] == number - 1 for track in self._open]
        nobody_stays = any(seen_before) and not (possible[seen_before] > MIN_STAYING).any()
        if people.new_scene or (people.maybe_new_scene and nobody_stays):
            self._scene += 1
            self._end(self._open, 'the scene changes')
            possible = possible[:0]
        rows, columns = linear_sum_assignment(-possible)
        matched = [(row, column) for row, column in zip(rows, columns) if possible[row, column] > 0]
        unclear, tracks = self._unclear(possible, matched), list(self._open)
        continued, taken = [], set()
        for row, column in matched:
            track = tracks[row]
            if row in unclear:
                self._end([track], 'it may have been exchanged with another person')
            elif is_somebody_else(track, self.frames, number, column):
                self._end([track], 'another person is in its place')
            else:
                continued.append((track, column))
                taken.add(column)
        for track, column in continued:
            track.add(self.frames, number, column)
        self._open = [track for track in self._open if id(track) not in self.ends]
        for column in range(len(people.boxes)):
            if column not in taken:
                track = OpenTrack([])
                track.add(self.frames, number, column)
                self._open.append(track)
                self.tracks.append(track)
                self.scenes.append(self._scene)

    def _end(self, tracks: Sequence[OpenTrack], why: str) -> None:
        self.ends.update((id(track), why) for track in tracks)
        self._open = [track for track in self._open if id(track) not in self.ends]

    @staticmethod
    def _unclear(possible: np.ndarray, matched: list[tuple[int, int]]) -> set[int]:
        """Return the tracks for which an exchange with another one agrees almost as well."""
        unclear = set()
        for (a, p), (b, q) in combinations(matched, 2):
            crossed = possible[a, q], possible[b, p]
            gain = possible[a, p] + possible[b, q] - sum(crossed)
            if min(crossed) > 0 and gain < MIN_GAIN:
                unclear |= {a, b}
        return unclear


def _fill(
    track: list[tuple[int, int]], frames: Sequence[Detections], end: str, scene: int
) -> PersonTrack:
    """Interpolate boxes and keypoints in the frames without a detection."""
    numbers = np.array([frame for frame, _ in track])
    everywhere = np.arange(numbers[0], numbers[-1] + 1)
    boxes = np.stack([frames[frame].boxes[person] for frame, person in track])
    keypoints = np.stack([frames[frame].keypoints[person] for frame, person in track])
    seen = np.isin(everywhere, numbers)
    keypoints = _interpolate(numbers, keypoints, everywhere)
    boxes = _interpolate(numbers, boxes, everywhere)
    return PersonTrack(int(numbers[0]), boxes, keypoints, seen, end, scene)


def _interpolate(numbers: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    flat = values.reshape(len(values), -1)
    columns = [np.interp(wanted, numbers, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(len(wanted), *values.shape[1:])
