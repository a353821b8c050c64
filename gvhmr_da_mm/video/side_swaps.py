"""Frames in which a detector has taken left for right."""

from typing import NamedTuple

import numpy as np

from ..core.conventions import COCO_FLIP_INDEX

TORSO_PAIRS = np.array([[5, 6], [11, 12]])
"""Left and right shoulder, left and right hip of COCO-17."""
COLLAPSE = 0.4
"""A torso narrower than this share of both its neighbours, where those are no side views either."""
MIN_FRAMES = 5
"""Shorter clips do not tell what is usual."""
CHANGE_COST = 0.1
"""Torso lengths of motion that a change between true and swapped has to save."""
FRAME_COST = 0.01
"""Torso lengths that each swapped frame costs, as most frames are right."""
_STATES = ((0, 0), (0, 1), (1, 0), (1, 1))


class SideReport(NamedTuple):
    """Frames of a person that are not what a detector said.

    Args:
        swapped (np.ndarray): Where left and right are exchanged (F,), bool.
        collapsed (np.ndarray): Where left and right fell together (F,), bool; neither is known.
    """

    swapped: np.ndarray
    collapsed: np.ndarray


def find_side_errors(keypoints: np.ndarray) -> SideReport:
    """Find the frames in which left and right of a person are exchanged or have fallen together.

    Shoulders and hips turn steadily: where the body seems to turn by 180 degrees between two
    frames, and would go on as before with left and right exchanged, the detector has changed its
    mind. Of all ways to exchange frames the one is taken by which the torso moves and accelerates
    least (Viterbi), and of two that differ in all frames the one that exchanges fewer.

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
    # From right to left: an exchange turns it round.
    across = (torso[:, :, 0, :2] - torso[:, :, 1, :2]) / max(length, 1e-9)
    width = np.linalg.norm(across, axis=-1).mean(axis=1)
    beside = np.minimum(width[:-2], width[2:])
    collapsed[1:-1] = (width[1:-1] < COLLAPSE * beside) & (beside > COLLAPSE * width.max())
    swapped[~collapsed] = _viterbi(across[~collapsed])
    return SideReport(swapped, collapsed)


def mend_sides(
    keypoints: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, SideReport]:
    """Exchange left and right where they are swapped; what has collapsed counts as not seen.

    Args:
        keypoints (np.ndarray): COCO-17 of a person (F, 17, 3): pixels and confidence.
        seen (np.ndarray): Where it was seen (F,), bool.

    Returns:
        tuple[np.ndarray, np.ndarray, SideReport]: New keypoints (F, 17, 3), where the person was
        seen (F,), and what was found.
    """
    report = find_side_errors(keypoints)
    mended = np.where(report.swapped[:, None, None], keypoints[:, COCO_FLIP_INDEX], keypoints)
    # Both neighbours are wider, so neither of them has collapsed.
    lost = np.flatnonzero(report.collapsed)
    mended[lost] = (mended[lost - 1] + mended[lost + 1]) / 2
    return mended, seen & ~report.collapsed, report


def _viterbi(across: np.ndarray) -> np.ndarray:
    """Return the cheapest mask (F,) for directions (F, 2, 2); a state is that of two frames."""
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
    path = [now, last]
    for chosen in reversed(choices):
        path.append(chosen[path[-1], path[-2]])
    return np.array(path[::-1], dtype=bool)


def _mean_length(vectors: np.ndarray) -> float:
    return float(np.linalg.norm(vectors, axis=-1).mean())
