"""Clips of a dataset in columns."""

from collections.abc import Sequence
from itertools import compress
from typing import Union

import numpy as np


class Table(Sequence):
    """Base of long lists that are kept in columns; entries are made when they are asked for."""

    def names(self) -> list[str]:
        """Return the name of the sequence of each entry (N,)."""
        raise NotImplementedError

    def take(self, chosen: np.ndarray) -> 'Table':
        """Return the entries of indices (M,), or those that are chosen (N,) bool."""
        raise NotImplementedError


class ClipTable(Table):
    """Clips of a dataset in columns: 24 bytes each, where a dict takes hundreds.

    An entry has the facts of its row, with ``start`` and ``end``.

    Args:
        facts (Sequence[dict]): What is known of clips besides their frames, ``sequence`` at least.
        rows (np.ndarray): Row of ``facts`` of each clip (N,).
        start (np.ndarray): First frames (N,).
        end (np.ndarray): One past the last frames (N,).
    """

    def __init__(
        self, facts: Sequence[dict], rows: np.ndarray, start: np.ndarray, end: np.ndarray
    ) -> None:
        self.facts, self.rows, self.start, self.end = facts, rows, start, end

    @classmethod
    def of(cls, clips: Sequence[dict]) -> 'ClipTable':
        """Return a table of clips, each a dict with at least ``start`` and ``end``."""
        if isinstance(clips, cls):
            return clips
        frames = np.array([(clip['start'], clip['end']) for clip in clips], np.int64)
        start, end = frames.reshape(-1, 2).T
        return cls(clips, np.arange(len(clips)), start, end)

    @property
    def lengths(self) -> np.ndarray:
        """Numbers of frames (N,)."""
        return self.end - self.start

    def names(self) -> list[str]:
        """Return the name of the sequence of each clip (N,)."""
        if isinstance(self.facts, Table):
            names = self.facts.names()
            return [names[row] for row in self.rows]
        return [self.facts[row]['sequence'] for row in self.rows]

    def take(self, chosen: np.ndarray) -> 'ClipTable':
        """Return the clips of indices (M,), which may repeat, or those that are chosen (N,)."""
        return ClipTable(self.facts, self.rows[chosen], self.start[chosen], self.end[chosen])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Union[int, slice]) -> Union[dict, 'ClipTable']:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        start, end = int(self.start[index]), int(self.end[index])
        return dict(self.facts[int(self.rows[index])], start=start, end=end)


def take(items: Sequence, chosen: np.ndarray) -> Sequence:
    """Return the items of a list or table that are chosen (N,)."""
    return items.take(chosen) if isinstance(items, Table) else list(compress(items, chosen))
