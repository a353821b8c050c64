"""Whether a track shows a person, by the size of its torso."""

from typing import Optional

import numpy as np

from ..core.conventions import COCO_JOINT_NAMES
from ..core.keypoint_residual import MIN_KEYPOINT_SCORE
from .person_tracks import PersonTrack

TORSO = tuple(
    COCO_JOINT_NAMES.index(f'{side}_{joint}')
    for joint in ('shoulder', 'hip')
    for side in ('left', 'right')
)
MAX_TORSO_CHANGE = 0.11
"""Largest median change of a person's torso between successive frames, as a share of its size."""
MAX_FRAME_TIME = 0.12
"""Longest time between frames, s, over which people change little."""
MIN_PAIRS = 10
"""Fewest pairs of successive frames from which the median is taken."""


def torso_change(track: PersonTrack) -> Optional[float]:
    """Return the median change of the torso's size between successive frames, as a share of it.

    The size is the spread of shoulders and hips in the image, which hardly depends on the direction
    of sight. It changes slowly for people; where a detector takes a thing for a person, the
    keypoints of each frame are another guess.

    Args:
        track (PersonTrack): The track.

    Returns:
        float, optional: None if shoulders and hips are seen in too few successive frames.
    """
    torso = track.keypoints[:, TORSO]
    points = torso[..., :2]
    centred = points - points.mean(axis=1, keepdims=True)
    size = np.sqrt(np.square(centred).sum(axis=-1).mean(axis=1))
    known = track.seen & (torso[..., 2] > MIN_KEYPOINT_SCORE).all(axis=1) & (size > 0)
    pairs = known[1:] & known[:-1]
    if pairs.sum() < MIN_PAIRS:
        return None
    before, after = size[:-1][pairs], size[1:][pairs]
    return float(np.median(2 * np.abs(after - before) / (after + before)))


def no_person(track: PersonTrack, seconds: np.ndarray) -> str:
    """Return why a track shows no person, or an empty string.

    Args:
        track (PersonTrack): The track.
        seconds (np.ndarray): Times of the frames of the video that are used (N,), s.
    """
    own = seconds[track.start : track.start + len(track)]
    if len(own) < 2 or np.median(np.diff(own)) > MAX_FRAME_TIME:
        return ''
    change = torso_change(track)
    if change is None or change <= MAX_TORSO_CHANGE:
        return ''
    return (
        f'its torso grows or shrinks by {change:.0%} from frame to frame, that of a person by at '
        f'most {MAX_TORSO_CHANGE:.0%}'
    )
