"""Frames at 30 per second from frames at any times."""

from dataclasses import dataclass

import numpy as np

from ..core.conventions import FPS
from ..core.errors import DataError

SNAP = 0.1
"""A wanted time this near to a frame, in steps of 1/30 s, is that frame."""
MAX_GAP = 2.5
"""Frames farther apart than this, in their usual distance, have others missing between them."""


@dataclass(frozen=True)
class TimePlan:
    """Where each of F frames at equal times lies among N frames at given times.

    Args:
        lower (np.ndarray): The frame at or before each wanted time (F,).
        upper (np.ndarray): The one at or after it (F,); the same where there is one at that time.
        weight (np.ndarray): Share of the upper frame (F,), 0 to 1.
        missing (np.ndarray): Whether frames are missing at that time (F,), bool.
    """

    lower: np.ndarray
    upper: np.ndarray
    weight: np.ndarray
    missing: np.ndarray

    def __len__(self) -> int:
        return len(self.lower)

    @property
    def nearest(self) -> np.ndarray:
        """Return the frame nearest to each wanted time (F,)."""
        return np.where(self.weight < 0.5, self.lower, self.upper)

    @property
    def used(self) -> np.ndarray:
        """Return the frames that are needed at all, in order."""
        return np.unique(np.concatenate((self.lower, self.upper)))

    @property
    def is_identity(self) -> bool:
        """Whether the wanted frames are the given ones."""
        same = np.array_equal(self.lower, np.arange(len(self)))
        return same and np.array_equal(self.lower, self.upper)

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Return values (F, ...) at the wanted times, given those of all frames (N, ...)."""
        weight = self.weight.reshape(-1, *(1,) * (values.ndim - 1))
        return (1 - weight) * values[self.lower] + weight * values[self.upper]

    def both(self, mask: np.ndarray) -> np.ndarray:
        """Return where a mask (N,) holds for both neighbours, and nothing is missing (F,)."""
        return mask[self.lower] & mask[self.upper] & ~self.missing


def plan_times(seconds: np.ndarray, fps: float = FPS) -> TimePlan:
    """Plan frames at equal times.

    Args:
        seconds (np.ndarray): Times of the frames there are (N,), increasing.
        fps (float): Wanted frames per second. Defaults to 30.

    Returns:
        TimePlan: Frames from the first to the last time.

    Raises:
        DataError: If there is no frame, or times do not increase.
    """
    seconds = np.asarray(seconds, dtype=np.float64)
    if not len(seconds):
        raise DataError('there is no frame to resample')
    if (np.diff(seconds) <= 0).any():
        frame = int(np.argmax(np.diff(seconds) <= 0)) + 1
        raise DataError(f'times of frames should increase; frame {frame} is not after the last')
    steps = (seconds - seconds[0]) * fps
    wanted = np.arange(int(np.floor(steps[-1] + SNAP)) + 1)
    upper = np.clip(np.searchsorted(steps, wanted), 0, len(steps) - 1)
    lower = np.where(steps[upper] > wanted, upper - 1, upper)
    gap = steps[upper] - steps[lower]
    weight = np.clip((wanted - steps[lower]) / np.maximum(gap, 1e-9), 0, 1)
    at_lower, at_upper = wanted - steps[lower] < SNAP, steps[upper] - wanted < SNAP
    upper, weight = np.where(at_lower, lower, upper), np.where(at_lower, 0, weight)
    at_upper &= ~at_lower
    lower, weight = np.where(at_upper, upper, lower), np.where(at_upper, 0, weight)
    usual = np.median(np.diff(steps)) if len(steps) > 1 else 1.0
    missing = (upper != lower) & (gap > MAX_GAP * max(usual, 1e-9))
    return TimePlan(lower, upper, weight, missing)
