"""Sequence pack as a source of datasets."""

from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Optional

import numpy as np
from torch import Tensor

from ..pack_io import PackRecord, load_pack
from ..packs import PackEntry
from ..packs.pack_schema import ARRAYS
from .layout import StoredField
from .pack_sequences import PackSequences
from .sequence_reader import FoundField, SequenceReader
from .source import SequenceInfo


class PackSource:
    """Source that reads a sequence pack, with the interface that datasets use.

    Args:
        root (Path): The sequence pack.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def sequences(self, splits: Optional[Iterable[str]] = None) -> PackSequences:
        """List the sequences, of all splits or some, in the order of the index."""
        pack = load_pack(self.root)
        if splits is None:
            return PackSequences(self.root, np.arange(len(pack)), pack.state)
        wanted = set(splits)
        kinds = pack.entries.kinds(lambda known, arrays: bool(wanted & set(known)))
        numbers = np.flatnonzero(np.isin(pack.entries.table['kind'], kinds))
        return PackSequences(self.root, numbers, pack.state)

    def required_files(self, splits: Iterable[str], uses: Iterable[str]) -> dict[Path, str]:
        """Return the folder of the pack."""
        return {self.root: 'a sequence pack of tools/dataset_converters (docs/en/packs.md)'}

    def missing_files(self, infos: Iterable[SequenceInfo], flip: bool) -> dict[Path, str]:
        """Return nothing: readers refuse incomplete packs."""
        return {}

    def has(self, info: SequenceInfo, name: str) -> bool:
        """Return whether a sequence has a field, according to the index."""
        return name in load_pack(self.root).entries[info.id].arrays

    def open(self, info: SequenceInfo) -> 'PackSequence':
        """Return the reader of a sequence."""
        return PackSequence(self.root, info)


class PackSequence(SequenceReader):
    """Reader of one sequence of a sequence pack.

    Args:
        root (Path): The sequence pack.
        info (SequenceInfo): The sequence.
    """

    def __init__(self, root: Path, info: SequenceInfo) -> None:
        super().__init__(info.name)
        self._root, self._id = root, info.id
        self.entry: PackEntry = load_pack(root).entries[info.id]

    @cached_property  # Clips are listed without opening a file.
    def _record(self) -> PackRecord:
        return PackRecord(self._root, self._id, load_pack(self._root)[self._id])

    @property
    def limits(self) -> tuple[int, int]:
        """First frame and one past the last."""
        return self.entry.start, self.entry.start + self.entry.frames

    @property
    def static_camera(self) -> bool:
        """Whether the camera stands still."""
        return self.entry.static_camera

    @property
    def world_up(self) -> str:
        """Up axis of the world of a given camera; '' if none is given."""
        return self.entry.world_up

    def has(self, name: str) -> bool:
        """Return whether the sequence has a field."""
        return name in self.entry.arrays

    def locate(self, name: str) -> FoundField:
        """Return the place of a field."""
        return FoundField(self._record, stored_in_pack(self._record, name), self.entry.start, {})


_SEVERAL_SHAPES = {name for name, array in ARRAYS.items() if len(array.shapes) > 1}


def stored_in_pack(record: PackRecord, name: str) -> StoredField:
    """Return the key and shape of a field; of several shapes, that with as many axes."""
    return _field(name, record.value(name, Tensor).ndim if name in _SEVERAL_SHAPES else None)


@cache
def _field(name: str, axes: Optional[int]) -> StoredField:
    shapes = ARRAYS[name].shapes if name in ARRAYS else (None,)
    fitting = [shape for shape in shapes if axes is not None and len(shape.split()) == axes]
    return StoredField(name, (fitting or shapes)[0])
