"""Reader of sequence packs: entries are read and arrays mapped on access."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union

import torch
from torch import Tensor

from ...core.errors import DataError
from ...fileio.safetensors_file import TensorFile
from .pack_entry import PackEntry
from .pack_index import PackIndex

MAX_OPEN_SEQUENCES = 32
"""Sequences of a pack that stay open; each takes a file handle."""


class SequenceFields(Mapping):
    """Arrays and metadata of one sequence by name; nested names (``a.b``) give mappings.

    Args:
        root (Path): The pack.
        entry (PackEntry): Its entry in the index.

    Raises:
        DataError: If its file is missing, cut off or damaged.
    """

    def __init__(self, root: Path, entry: PackEntry) -> None:
        try:
            self._file = TensorFile(root / entry.file, entry.bytes)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise DataError(
                f'{root / entry.file} is named in the index but does not exist: copy it again, or '
                'run the converter again, which writes what is missing'
            ) from error
        self._outer = {key.split('.')[0] for key in self._file}
        # Each window of an open sequence reads the same arrays.
        self._arrays: dict[str, Union[Tensor, dict[str, Tensor]]] = {}
        self._facts: dict[str, Any] = dict(
            img_wh=torch.tensor(entry.img_wh),
            gender=entry.gender,
            start=entry.start,
            frames=entry.frames,
            valid_ranges=entry.valid_ranges or [(0, entry.frames)],
        )

    def array(self, name: str) -> Tensor:
        """Return an array by its whole name, such as ``smpl_params.transl``."""
        return torch.from_numpy(self._file[name])

    def __getitem__(self, name: str) -> Any:
        if name in self._facts:
            return self._facts[name]
        if name not in self._arrays:
            self._arrays[name] = self._read(name)
        return self._arrays[name]

    def _read(self, name: str) -> Union[Tensor, dict[str, Tensor]]:
        if name in self._file:
            return self.array(name)
        inner = [key for key in self._file if key.startswith(f'{name}.')]
        if not inner:
            raise KeyError(name)
        return {key[len(name) + 1 :]: self.array(key) for key in inner}

    def __contains__(self, name: object) -> bool:
        return name in self._facts or name in self._file or name in self._outer

    def __iter__(self) -> Iterator[str]:
        yield from self._facts
        yield from dict.fromkeys(key.split('.')[0] for key in self._file)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class SequencePack(Mapping):
    """Sequence pack: maps ids to :class:`SequenceFields`, in the order of the index.

    Args:
        root (str | Path): The pack.
        allow_incomplete (bool): Whether to open a pack whose conversion was interrupted. Defaults
            to False.

    Attributes:
        header (PackHeader): Facts about the whole pack.
        entries (PackIndex): Entry of each sequence, by id.
        state (tuple[int, int]): Time in nanoseconds and size of the index when it was opened.

    Raises:
        DataError: If the index is missing, invalid or incomplete.
    """

    def __init__(self, root: Union[str, Path], allow_incomplete: bool = False) -> None:
        self.root = Path(root)
        self.entries = PackIndex.open(self.root)
        self.header = self.entries.header
        status = self.entries.path.stat()
        self.state = (status.st_mtime_ns, status.st_size)
        # Windows of a long sequence reuse its open file.
        self._open: OrderedDict[str, SequenceFields] = OrderedDict()
        if not (self.header.complete or allow_incomplete):
            raise DataError(
                f'{self.root} is not complete ({len(self.entries)} sequences): its conversion was '
                'interrupted. Run the same command again, it continues'
            )

    def __reduce__(self) -> tuple:
        return SequencePack, (self.root, True)

    def __getitem__(self, sequence_id: str) -> SequenceFields:
        fields = self._open.get(sequence_id)
        if fields is None:
            fields = SequenceFields(self.root, self.entries[sequence_id])
            self._open[sequence_id] = fields
            if len(self._open) > MAX_OPEN_SEQUENCES:
                self._open.popitem(last=False)
        return fields

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, sequence_id: object) -> bool:
        return sequence_id in self.entries
