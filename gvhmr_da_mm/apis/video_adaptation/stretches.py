"""Stretches of people in videos: some to adapt on, others to judge the adaptation by."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...core.conventions import FPS
from ...core.keypoint_residual import MIN_KEYPOINT_SCORE
from ...datasets.clip import Clip
from ...video.observed_video import ObservedVideo

MIN_FRAMES = 30
"""Shortest stretch, 1 s."""
STRETCH_FRAMES = 75
"""Length of a stretch where the person is seen for long enough."""
HOLD_OUT_EVERY = 4
"""One of this many stretches is held out, and at least the last one."""
MIN_KEYPOINTS = 6
"""Trusted keypoints of a frame in which the person counts as seen."""
MIN_SEEN = 0.5
"""Share of frames in which a person has to be seen."""
STILL = 0.005
"""Deviation of keypoints over time, in box sides, below which nothing moves."""


@dataclass
class Stretch:
    """Successive frames of a person.

    Args:
        video (str): Name of the video.
        person (int): Number of the person.
        clip (Clip): What the network sees.
        held_out (bool): Whether it is for judging only.
    """

    video: str
    person: int
    clip: Clip
    held_out: bool

    @property
    def name(self) -> str:
        """Name, unique among all stretches."""
        return f'{self.video}/{self.person}/{self.clip.start}'


def cut_stretches(name: str, video: ObservedVideo) -> tuple[list[Stretch], list[str]]:
    """Cut the people of a video into stretches.

    Args:
        name (str): Name of the video.
        video (ObservedVideo): Its people.

    Returns:
        tuple[list[Stretch], list[str]]: Stretches in the order of their frames, and why people are
        left out.
    """
    stretches, notes = [], []
    for number, person in enumerate(video.people):
        problem = unfit(person.kp2d, person.bbx_xys)
        if problem:
            notes.append(f'person {number} is left out: {problem}')
            continue
        for start, stop, held_out in split_frames(len(person)):
            clip = video.inputs(number, slice(start, stop))
            stretches.append(Stretch(name, number, clip, held_out))
    return stretches, notes


def unfit(kp2d: np.ndarray, bbx_xys: np.ndarray) -> str:
    """Return why nothing can be learned from a person, or ''.

    Args:
        kp2d (np.ndarray): Keypoints (F, 17, 3): pixels and score.
        bbx_xys (np.ndarray): Boxes (F, 3): centre and side, pixels.
    """
    if len(kp2d) < 2 * MIN_FRAMES:
        return (
            f'{len(kp2d)} frames are too short to adapt on a part and judge on another: give '
            f'{2 * MIN_FRAMES / FPS:.0f} s or more'
        )
    trusted = kp2d[..., 2] > MIN_KEYPOINT_SCORE
    seen = trusted.sum(axis=1) >= MIN_KEYPOINTS
    if seen.mean() < MIN_SEEN:
        return (
            f'the keypoints are confident in {seen.mean():.0%} of the frames; {MIN_SEEN:.0%} are '
            'needed: take a video in which the person is large and sharp, or another detector'
        )
    places = (kp2d[..., :2] - bbx_xys[:, None, :2]) / bbx_xys[:, None, 2:]
    places = np.where(trusted[..., None], places, np.nan)[:, trusted.sum(axis=0) >= MIN_FRAMES]
    if float(np.nanmax(np.nanstd(places, axis=0), initial=0)) < STILL:
        return 'nothing moves, so there is no motion to learn from'
    return ''


def split_frames(frames: int) -> Iterator[tuple[int, int, bool]]:
    """Yield the stretches of a person: first frame, one past the last, and whether it is held out.

    Neighbours of one kind are one stretch.

    Args:
        frames (int): Frames of the person, twice :data:`MIN_FRAMES` or more.
    """
    count = max(frames // STRETCH_FRAMES, 2)
    ends = np.linspace(0, frames, count + 1).round().astype(int).tolist()
    held_out = [number % HOLD_OUT_EVERY == HOLD_OUT_EVERY - 1 for number in range(count)]
    if not any(held_out):
        held_out[-1] = True
    start = 0
    for number in range(count):
        if number + 1 == count or held_out[number + 1] != held_out[number]:
            yield start, ends[number + 1], held_out[number]
            start = ends[number + 1]
