"""Tracks of people through a video, linked by the overlap of their boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..core.boxes import box_overlap
from ..core.checks import check_choice
from .detectors.detections import Detections

PEOPLE_CHOICES = ('largest', 'longest', 'all')
MAX_JUMP = 0.2
"""Largest median motion of one person's keypoints, in sizes of the smaller box."""
MAX_COLOUR_CHANGE = 40.0
"""Largest distance of one person's torso colours, CIELAB of 0 to 255 per channel."""


@dataclass
class PersonTrack:
    """One person from the first to the last frame with a detection.

    Args:
        start (int): The first frame.
        boxes (np.ndarray): Corners (L, 4), pixels, interpolated where there is no detection.
        keypoints (np.ndarray): COCO-17 (L, 17, 3), interpolated in the same frames.
        seen (np.ndarray): Frames with a detection (L,), bool.
        end (str): Why the track was ended though a box followed; '' if the person was lost.
    """

    start: int
    boxes: np.ndarray
    keypoints: np.ndarray
    seen: np.ndarray
    end: str = ''

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

    A track ends at a new scene, and where the keypoints jump and the torso changes its colour: a
    detector of one person switches to another when two cross.

    Args:
        frames (Sequence[Detections]): The people of each frame, in order.
        min_overlap (float): Least intersection over union of a box and the last box of its track.
            Defaults to 0.2.
        max_gap (int): A track without detection for more frames than this ends. Defaults to 30.

    Returns:
        list[PersonTrack]: In the order of their first frames.
    """
    open_tracks: list[list[tuple[int, int]]] = []
    tracks: list[list[tuple[int, int]]] = []
    ends: dict[int, str] = {}
    for number, people in enumerate(frames):
        if people.new_scene:
            ends.update((id(track), 'the scene changes') for track in open_tracks)
            open_tracks = []
        open_tracks = [track for track in open_tracks if number - track[-1][0] <= max_gap + 1]
        last = [frames[frame].boxes[person] for frame, person in (t[-1] for t in open_tracks)]
        overlap = box_overlap(np.reshape(last, (-1, 4)), people.boxes)
        rows, columns = linear_sum_assignment(-overlap)
        taken = set()
        for row, column in zip(rows, columns):
            if overlap[row, column] < min_overlap:
                continue
            frame, person = open_tracks[row][-1]
            if _is_somebody_else(frames[frame], person, people, column):
                ends[id(open_tracks[row])] = 'another person is in its place'
                continue
            open_tracks[row].append((number, column))
            taken.add(column)
        open_tracks = [track for track in open_tracks if id(track) not in ends]
        for column in range(len(people.boxes)):
            if column not in taken:
                track = [(number, column)]
                tracks.append(track)
                open_tracks.append(track)
    return [_fill(track, frames, ends.get(id(track), '')) for track in tracks]


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


def _is_somebody_else(last: Detections, a: int, now: Detections, b: int) -> bool:
    """Return whether person b now differs from person a before in both place and colour."""
    if last.colours is None or now.colours is None:
        return False
    size = min(np.ptp(people.boxes[p].reshape(2, 2), axis=0).max()
               for people, p in ((last, a), (now, b)))  # fmt: skip
    moved = np.linalg.norm(now.keypoints[b, :, :2] - last.keypoints[a, :, :2], axis=-1)
    # Either alone also occurs within one track: light and poses change.
    jumped = np.median(moved) > MAX_JUMP * size
    return bool(jumped and np.linalg.norm(now.colours[b] - last.colours[a]) > MAX_COLOUR_CHANGE)


def _fill(track: list[tuple[int, int]], frames: Sequence[Detections], end: str = '') -> PersonTrack:
    """Interpolate boxes and keypoints in the frames without a detection."""
    numbers = np.array([frame for frame, _ in track])
    everywhere = np.arange(numbers[0], numbers[-1] + 1)
    boxes = np.stack([frames[frame].boxes[person] for frame, person in track])
    keypoints = np.stack([frames[frame].keypoints[person] for frame, person in track])
    seen = np.isin(everywhere, numbers)
    keypoints = _interpolate(numbers, keypoints, everywhere)
    boxes = _interpolate(numbers, boxes, everywhere)
    return PersonTrack(int(numbers[0]), boxes, keypoints, seen, end)


def _interpolate(numbers: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    flat = values.reshape(len(values), -1)
    columns = [np.interp(wanted, numbers, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(len(wanted), *values.shape[1:])
