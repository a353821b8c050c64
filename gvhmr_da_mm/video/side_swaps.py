"""Detection and correction of keypoints whose left and right sides are swapped."""

from typing import NamedTuple

import numpy as np

from ..core.conventions import COCO_FLIP_INDEX

TORSO_PAIRS = np.array([[5, 6], [11, 12]])
"""Left and right shoulder, left and right hip of COCO-17."""
COLLAPSED_WIDTH_RATIO = 0.4
"""A torso narrower than this share of both neighbours, which are not side views, has collapsed."""
MIN_FRAMES = 5
"""Shorter clips are left unchanged: they show too little of the usual motion."""
CHANGE_COST = 0.1
"""Torso lengths of motion that a switch between true and swapped has to save."""
FRAME_COST = 0.01
"""Torso lengths that each swapped frame costs, as most frames are right."""
_STATES = ((0, 0), (0, 1), (1, 0), (1, 1))


class SideReport(NamedTuple):
    """Frames of a person with errors of left and right.

    Args:
        swapped (np.ndarray): Frames with left and right exchanged (F,), bool.
        collapsed (np.ndarray): Frames with left and right at one place (F,), bool: both are wrong.
    """

    swapped: np.ndarray
    collapsed: np.ndarray


def find_side_errors(keypoints: np.ndarray) -> SideReport:
    """Find the frames in which left and right of a person are exchanged or collapsed.

    A body does not turn by 180 degrees between two frames: if exchanging left and right continues
    the motion, the detector has swapped them. The Viterbi algorithm finds the frames to exchange so
    that the torso moves and accelerates least; a small cost per exchanged frame prefers few.

    Args:
        keypoints (np.ndarray): COCO-17 of a person (F, 17, 3): pixels and confidence.
    """
    frames = len(keypoints)
    swapped, collapsed = np.zeros((2, frames), bool)
    if frames < MIN_FRAMES:
        return SideReport(swapped, collapsed)
    torso = keypoints[:, TORSO_PAIRS]
    centres = torso[..., :2].mean(axis=2)
    length = np.median(np.linalg.norm(centres[:, 0] - centres[:, 1], axis=-1))
    # From right to left: an exchange flips its sign.
    across = (torso[:, :, 0, :2] - torso[:, :, 1, :2]) / max(length, 1e-9)
    width = np.linalg.norm(across, axis=-1).mean(axis=1)
    beside = np.minimum(width[:-2], width[2:])
    collapsed[1:-1] = (width[1:-1] < COLLAPSED_WIDTH_RATIO * beside) & (
        beside > COLLAPSED_WIDTH_RATIO * width.max()
    )
    swapped[~collapsed] = _viterbi(across[~collapsed])
    return SideReport(swapped, collapsed)


def fix_side_errors(
    keypoints: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, SideReport]:
    """Exchange left and right where swapped; interpolate collapsed frames and mark them unseen.

    Args:
        keypoints (np.ndarray): COCO-17 of a person (F, 17, 3): pixels and confidence.
        seen (np.ndarray): Frames with a detection (F,), bool.

    Returns:
        tuple[np.ndarray, np.ndarray, SideReport]: Corrected keypoints (F, 17, 3), frames with a
        usable detection (F,), and the errors found.
    """
    report = find_side_errors(keypoints)
    fixed = np.where(report.swapped[:, None, None], keypoints[:, COCO_FLIP_INDEX], keypoints)
    # Both neighbours are wider, so neither has collapsed.
    lost = np.flatnonzero(report.collapsed)
    fixed[lost] = (fixed[lost - 1] + fixed[lost + 1]) / 2
    return fixed, seen & ~report.collapsed, report


def _viterbi(across: np.ndarray) -> np.ndarray:
    """Return the cheapest mask (F,) for directions (F, 2, 2); a state holds two frames' swaps."""
    sign = (1, -1)
    step = {s: FRAME_COST * s[1] + CHANGE_COST * (s[0] != s[1]) for s in _STATES}
    cost = {s: FRAME_COST * s[0] + step[s] for s in _STATES}
    choices: list[dict] = []
    for frame in range(2, len(across)):
        following, chosen = {}, {}
        for last, now in _STATES:
            middle = sign[last] * across[frame - 1]
            turn = sign[now] * across[frame] - middle
            options = [
                cost[first, last] + _mean_length(middle - sign[first] * across[frame - 2] - turn)
                for first in (0, 1)
            ]
            chosen[last, now] = int(np.argmin(options))
            following[last, now] = min(options) + _mean_length(turn) + step[last, now]
        cost = following
        choices.append(chosen)
    last, now = min(cost, key=cost.get)
    states = [now, last]
    for chosen in reversed(choices):
        states.append(chosen[states[-1], states[-2]])
    return np.array(states[::-1], dtype=bool)


def _mean_length(vectors: np.ndarray) -> float:
    return float(np.linalg.norm(vectors, axis=-1).mean())
