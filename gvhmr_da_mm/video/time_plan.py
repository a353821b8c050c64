"""Resampling of frames at arbitrary times to a fixed frame rate."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Optional, TypeVar

import numpy as np

from ..core.conventions import FPS
from ..core.errors import DataError

Item = TypeVar('Item')
SNAP_DISTANCE = 0.1
"""Largest distance, in output frames, at which an input frame is used without interpolation."""
MAX_GAP = 2.5
"""Largest step between frames, in median steps, that does not count as missing frames."""


@dataclass(frozen=True)
class TimePlan:
    """Neighbours and weights of F output frames among N input frames.

    Args:
        lower (np.ndarray): Input frame at or before each output time (F,).
        upper (np.ndarray): Input frame at or after it (F,); equal to ``lower`` on a frame.
        weight (np.ndarray): Weight of the upper frame (F,), 0 to 1.
        missing (np.ndarray): Output frames in a gap of the input (F,), bool.
    """

    lower: np.ndarray
    upper: np.ndarray
    weight: np.ndarray
    missing: np.ndarray

    def __len__(self) -> int:
        return len(self.lower)

    @property
    def nearest(self) -> np.ndarray:
        """Nearest input frame of each output frame (F,)."""
        return np.where(self.weight < 0.5, self.lower, self.upper)

    @property
    def used(self) -> np.ndarray:
        """Input frames that the output needs, in increasing order."""
        return np.unique(np.concatenate((self.lower, self.upper)))

    @property
    def of_used(self) -> 'TimePlan':
        """The same plan, with input frames counted among those of ``used``."""
        lower, upper = np.searchsorted(self.used, np.stack((self.lower, self.upper)))
        return TimePlan(lower, upper, self.weight, self.missing)

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Interpolate values of input frames (N, ...) linearly to output frames (F, ...)."""
        weight = self.weight.reshape(-1, *(1,) * (values.ndim - 1))
        return (1 - weight) * values[self.lower] + weight * values[self.upper]

    def both(self, mask: np.ndarray) -> np.ndarray:
        """Return where a mask (N,) holds for both neighbours and no frame is missing (F,)."""
        return mask[self.lower] & mask[self.upper] & ~self.missing


def plan_times(seconds: np.ndarray, fps: float = FPS) -> TimePlan:
    """Plan the resampling to a fixed frame rate.

    Args:
        seconds (np.ndarray): Times of the input frames (N,), s, increasing.
        fps (float): Output frames per second. Defaults to 30.

    Returns:
        TimePlan: Output frames from the first to the last time.

    Raises:
        DataError: If there is no frame, or the times do not increase.
    """
    seconds = np.asarray(seconds, dtype=np.float64)
    if not len(seconds):
        raise DataError('there is no frame to resample')
    if (np.diff(seconds) <= 0).any():
        frame = int(np.argmax(np.diff(seconds) <= 0)) + 1
        raise DataError(f'times of frames should increase; frame {frame} does not follow the last')
    steps = (seconds - seconds[0]) * fps
    wanted = np.arange(int(np.floor(steps[-1] + SNAP_DISTANCE)) + 1)
    lower, upper, weight = _neighbours(steps, wanted)
    gap = steps[upper] - steps[lower]
    usual = np.median(np.diff(steps)) if len(steps) > 1 else 1.0
    missing = (upper != lower) & (gap > MAX_GAP * max(usual, 1e-9))
    return TimePlan(lower, upper, weight, missing)


def planned_items(
    timed: Iterable[tuple[float, Item]], fps: float = FPS
) -> Iterator[tuple[int, Item]]:
    """Yield number and item of each frame that :func:`plan_times` uses, while times are read.

    Args:
        timed (Iterable): Time, s, increasing, and item of each frame. One item is held back.
        fps (float): As for :func:`plan_times`. Defaults to 30.
    """
    before = own = first = held = None
    number = -1
    for number, (seconds, item) in enumerate(timed):
        first = seconds if first is None else first
        after = (seconds - first) * fps
        if own is not None and _is_used(before, own, after):
            yield number - 1, held
        before, own, held = own, after, item
    if own is not None and _is_used(before, own, None):
        yield number, held


def _neighbours(steps: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the input frames around output frames, and the weight of the later.

    Args:
        steps (np.ndarray): Times of the input frames (N,), in output frames.
        wanted (np.ndarray): Output frames (F,).
    """
    upper = np.clip(np.searchsorted(steps, wanted), 0, len(steps) - 1)
    lower = np.where(steps[upper] > wanted, upper - 1, upper)
    gap = steps[upper] - steps[lower]
    weight = np.clip((wanted - steps[lower]) / np.maximum(gap, 1e-9), 0, 1)
    at_lower = wanted - steps[lower] < SNAP_DISTANCE
    at_upper = (steps[upper] - wanted < SNAP_DISTANCE) & ~at_lower
    upper, weight = np.where(at_lower, lower, upper), np.where(at_lower, 0, weight)
    lower, weight = np.where(at_upper, upper, lower), np.where(at_upper, 0, weight)
    return lower, upper, weight


def _is_used(before: Optional[float], own: float, after: Optional[float]) -> bool:
    """Return whether an input frame is a neighbour of an output frame.

    Args:
        before (float, optional): Time of the frame before, in output frames; None for the first.
        own (float): Its own time.
        after (float, optional): Time of the next frame; None for the last.
    """
    steps = np.array([step for step in (before, own, after) if step is not None])
    end = own + SNAP_DISTANCE if after is None else after
    wanted = np.arange(np.ceil(steps[0]), np.floor(end) + 1)
    if not len(wanted):
        return False
    lower, upper, _ = _neighbours(steps, wanted)
    index = 0 if before is None else 1
    return bool(((lower == index) | (upper == index)).any())
