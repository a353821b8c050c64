"""Sequences of a sequence pack, described when they are asked for."""

from pathlib import Path
from typing import Any, Union

import numpy as np

from ...core.errors import DataError
from ..clip_table import ClipTable, Table
from ..pack_io import load_pack
from ..packs import PackEntry, PackIndex
from .source import SequenceInfo


class PackSequences(Table):
    """Sequences of a sequence pack as places in its index: 8 bytes each.

    Args:
        root (Path): The sequence pack.
        numbers (np.ndarray): Places in the index (N,).
        state (tuple): State of the index that they belong to, see :class:`SequencePack`.
    """

    def __init__(self, root: Path, numbers: np.ndarray, state: tuple[int, int]) -> None:
        self.root, self.numbers, self.state = root, numbers, state

    @property
    def index(self) -> PackIndex:
        """The index.

        Raises:
            DataError: If it has changed, so that the places are those of other sequences.
        """
        pack = load_pack(self.root)
        if pack.state != self.state:
            raise DataError(
                f'{pack.entries.path} has changed since its clips were listed: start the run again'
            )
        return pack.entries

    def names(self) -> list[str]:
        """Return the name of each sequence in samples (N,)."""
        return self.column('sequence')

    def take(self, chosen: np.ndarray) -> 'PackSequences':
        """Return the sequences at places (M,) of this list, or those that are chosen (N,)."""
        return PackSequences(self.root, self.numbers[chosen], self.state)

    def __add__(self, other: 'PackSequences') -> 'PackSequences':
        return PackSequences(self.root, np.concatenate((self.numbers, other.numbers)), self.state)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: Union[int, slice]) -> Union[SequenceInfo, 'PackSequences']:
        if isinstance(place, slice):
            return PackSequences(self.root, self.numbers[place], self.state)
        return describe(self.index.at(int(self.numbers[place])))

    def column(self, field: str) -> list[str]:
        """Return the ``id``, ``sequence`` or ``group`` of each sequence (N,)."""
        values = list(self.index.column(field))
        return [values[number] for number in self.numbers]

    def lacking(self, name: str) -> 'PackSequences':
        """Return those that have no array ``name``."""
        kinds = self.index.kinds(lambda splits, arrays: name not in arrays)
        return self.take(np.isin(self.index.table['kind'][self.numbers], kinds))

    def clips(self, **facts: Any) -> ClipTable:
        """Return a clip for each sequence, with all of its frames and further fields."""
        table = self.index.table[self.numbers]
        start = table['start']
        rows = np.arange(len(self))
        return ClipTable(PackClipFacts(self, facts), rows, start, start + table['frames'])


class PackClipFacts(Table):
    """What is known of the clips of sequences, besides their frames.

    Args:
        sequences (PackSequences): The sequences.
        facts (dict): Further fields.
    """

    def __init__(self, sequences: PackSequences, facts: dict[str, Any]) -> None:
        self.sequences, self.facts = sequences, facts

    def names(self) -> list[str]:
        """Return the name of each sequence in samples (N,)."""
        return self.sequences.names()

    def take(self, chosen: np.ndarray) -> 'PackClipFacts':
        """Return the facts at places (M,) of this list, or those that are chosen (N,)."""
        return PackClipFacts(self.sequences.take(chosen), self.facts)

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, place: int) -> dict[str, Any]:
        info = self.sequences[place]
        return dict(sequence=info.name, id=info.id, part=info.part, **self.facts)


def describe(entry: PackEntry) -> SequenceInfo:
    """Return the sequence of an entry."""
    part = entry.splits[0] if entry.splits else ''
    return SequenceInfo(entry.id, entry.sequence, part=part, splits=entry.splits, group=entry.group)
