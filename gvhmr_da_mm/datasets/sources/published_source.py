"""Base of the sources of published files, which declare files and fields."""

import os
from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Optional

import torch
from torch import Tensor

from ..pack_io import PackRecord, load_pack
from ..packs.pack_schema import ARRAYS
from .layout import FRAMES, MIRRORED, ROWS, SourceFile, StoredField
from .missing_files import require_source
from .sequence_reader import FoundField, SequenceReader
from .source import Arrays, Meta, SequenceInfo, Source, signature_of

_MAX_LISTED_FILES = 20
PUBLISHED_SOURCES: dict[str, type['PublishedSource']] = {}
"""Published layouts by data set; :func:`register_source` adds one."""


class PublishedSource(Source):
    """Source of published files; subclasses declare their layout.

    Args:
        folder (Path): The folder with the files.

    Attributes:
        subfolder (str): The folder below a data root.
        files (tuple[SourceFile, ...]): The files. If several have a field, the first is used.
        parts (tuple[str, ...]): Parts of the data set on disk.
        index (str): Path of the file whose keys are the sequences, as of a :class:`SourceFile`.
        length_field (str): Field whose length is that of the sequence; empty if :meth:`limits`
            returns the frames.
        fixed_camera (bool): Whether all cameras stand still.
        gravity (tuple, optional): Direction of gravity in the world of the labels, if the layout
            guarantees one.
        how_to_get (str): Origin of the files, for messages.
        is_optional (bool): Whether the main config does not need it.
    """

    subfolder = ''
    files: tuple[SourceFile, ...] = ()
    parts: tuple[str, ...] = ('',)
    index = ''
    length_field = 'bbx_xys'
    fixed_camera = False
    gravity: Optional[tuple[float, float, float]] = None
    how_to_get = ''
    is_optional = False

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = Path(folder)

    @property
    def root(self) -> Path:
        """The folder, for messages."""
        return self.folder

    @classmethod
    def below(cls, data_root: Path) -> 'PublishedSource':
        """Return the source in its folder below a data root."""
        return cls(Path(data_root) / cls.subfolder)

    # -- which sequences there are ----------------------------------------------------------------

    def index_file(self, part: str) -> Path:
        """Return the file whose keys are the sequences of a part."""
        return self.folder / self.index.format(part=part)

    def info(self, name: str, part: str) -> SequenceInfo:
        """Describe a sequence from its name."""
        return SequenceInfo(name, part=part, splits=(part,), file=self.index_file(part))

    def list_part(self, part: str) -> list[SequenceInfo]:
        """Return the sequences of a part."""
        return [self.info(name, part) for name in load_pack(self.index_file(part))]

    def sequences(self, splits: Optional[Iterable[str]] = None) -> list[SequenceInfo]:
        """List the sequences; only the index files are opened.

        Args:
            splits (Iterable[str], optional): Splits to list. Defaults to None: all.
        """
        if splits is None:
            return [info for part in self._parts_here() for info in self.list_part(part)]
        wanted = set(splits)
        parts = [part for part in self.parts if not part or part in wanted]
        infos = [info for part in parts for info in self.list_part(part)]
        return [info for info in infos if wanted & set(info.splits)]

    def _parts_here(self) -> list[str]:
        """Return the parts whose index exists; raise an error if none does."""
        found = [part for part in self.parts if self.index_file(part).exists()]
        needed = [
            file.at(self.folder, part, '')
            for part in found or self.parts
            for file in self.files
            if file.use == 'inputs' and not file.per_sequence and file.in_part(part)
        ]
        indices = [self.index_file(part) for part in found or self.parts]
        require_source(dict.fromkeys([*indices, *needed]), self.folder)
        return found

    # -- which files it needs ---------------------------------------------------------------------

    def required_files(self, splits: Iterable[str], uses: Iterable[str]) -> dict[Path, str]:
        """Return the files and folders that reading some splits needs, with how to get them.

        Args:
            splits (Iterable[str]): The splits.
            uses (Iterable[str]): Uses besides ``inputs``, see :class:`SourceFile`.
        """
        uses, files = {'inputs', *uses}, []
        for part in [split if split in self.parts else '' for split in splits]:
            files.append(self.index_file(part))
            files += [
                file.folder_at(self.folder, part)
                for file in self.files
                if file.use in uses and file.in_part(part)
            ]
        return dict.fromkeys(files, self.how_to_get)

    def missing_files(self, infos: Iterable[SequenceInfo], flip: bool) -> dict[Path, str]:
        """Return the missing files of single sequences; each folder is listed only once.

        Args:
            infos (Iterable[SequenceInfo]): The sequences.
            flip (bool): Whether the mirrored features are needed.
        """
        listed: dict[Path, set[str]] = {}
        missing: dict[Path, str] = {}
        for mirrored, hint in ((False, ''), (True, '; or set flip_test=False'))[: 1 + flip]:
            paths = dict.fromkeys(
                self.path(file, info)
                for info in infos
                for file in self.files
                if file.per_sequence and (file.fields is MIRRORED) == mirrored
                if file.in_part(info.part)
            )
            for path in paths:
                if path.parent not in listed:
                    is_there = path.parent.is_dir()
                    listed[path.parent] = set(os.listdir(path.parent)) if is_there else set()
            absent = [path for path in paths if path.name not in listed[path.parent]]
            total = f' ({len(absent)} of {len(paths)} feature files are missing)'
            missing.update(
                dict.fromkeys(absent[:_MAX_LISTED_FILES], self.how_to_get + hint + total)
            )
        return missing

    def file_name(self, sequence: str) -> str:
        """Return the value of ``{name}`` in a :class:`SourceFile`."""
        return sequence

    def has(self, info: SequenceInfo, name: str) -> bool:
        """Return whether a sequence has a field."""
        return self.open(info).has(name)

    def signature(self, info: SequenceInfo) -> str:
        """Return a digest of the files of a sequence."""
        return signature_of(self.paths(info))

    def path(self, file: SourceFile, info: SequenceInfo) -> Path:
        """Return the file that holds a sequence."""
        return file.at(self.folder, info.part, self.file_name(info.name))

    def file_of(self, field: str, part: str = '', name: str = '') -> Path:
        """Return the file that holds a field of a part; of one sequence, if each has its own."""
        file, _ = places(type(self), part)[field]
        return file.at(self.folder, part, self.file_name(name) if file.per_sequence else '')

    def paths(self, info: SequenceInfo) -> list[Path]:
        """Return all files with fields of a sequence."""
        return [self.path(file, info) for file in self.files if file.in_part(info.part)]

    # -- what is in a sequence --------------------------------------------------------------------

    def open(self, info: SequenceInfo) -> 'PublishedSequence':
        """Return the reader of a sequence; nothing is read yet."""
        return PublishedSequence(self, info)

    def limits(self, reader: 'PublishedSequence') -> tuple[int, int]:
        """Return the first frame of a sequence and one past the last."""
        return 0, reader.frames

    def default_img_wh(self, name: str) -> Optional[tuple[int, int]]:
        """Return the image's width and height in pixels if the files lack them; None if unknown."""
        return None

    def good_ranges(self, name: str, stored: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the frames of valid labels, given those of the file."""
        return stored

    def read(self, info: SequenceInfo) -> tuple[Arrays, Meta]:
        """Read all fields of a sequence for a sequence pack."""
        reader = self.open(info)
        start, end = reader.limits
        arrays = {name: reader.packed(name, start, end) for name in ARRAYS if reader.has(name)}
        meta = dict(
            sequence=info.name,
            start=start,
            splits=info.splits,
            img_wh=reader.img_wh,
            static_camera=self.fixed_camera,
            video=info.group,
            group=info.group,
        )
        if reader.has('gender'):
            meta['gender'] = reader.gender
        if reader.has('valid_ranges'):
            ranges = reader.valid_ranges
            meta['valid_ranges'] = [(s, min(e, end)) for s, e in ranges if s < end]
        return arrays, meta


def register_source(source: type[PublishedSource]) -> type[PublishedSource]:
    """Add a layout to :data:`PUBLISHED_SOURCES`; used as a decorator of its class.

    The converter, the validator and the doctor then know it.
    """
    PUBLISHED_SOURCES[source.dataset] = source
    return source


@cache
def places(source: type[PublishedSource], part: str) -> dict[str, tuple[SourceFile, StoredField]]:
    """Return file and place of each field of the sequences of a part."""
    found: dict[str, tuple[SourceFile, StoredField]] = {}
    for file in source.files:
        for field in file.fields if file.in_part(part) else ():
            found.setdefault(field.name, (file, field))
    return found


class PublishedSequence(SequenceReader):
    """Reader of one sequence of a :class:`PublishedSource`.

    Args:
        source (PublishedSource): Its source.
        info (SequenceInfo): The sequence.
    """

    def __init__(self, source: PublishedSource, info: SequenceInfo) -> None:
        super().__init__(info.name)
        self.source, self.info = source, info
        self._places = places(type(source), info.part)
        self._records: dict[str, PackRecord] = {}

    @property
    def limits(self) -> tuple[int, int]:
        """First frame and one past the last."""
        return self.source.limits(self)

    @property
    def static_camera(self) -> bool:
        """Whether the camera stands still."""
        return self.source.fixed_camera

    @cached_property
    def frames(self) -> int:
        """Length of the sequence."""
        file, field = self._places[self.source.length_field]
        return len(self.record(file).tensor(field.key, field.shape))

    def has(self, name: str) -> bool:
        """Return whether the sequence has a field; required fields are not looked up."""
        if name not in self._places:
            return False
        file, field = self._places[name]
        if file.use != 'inputs' and not self.source.path(file, self.info).exists():
            return False
        if file.use == 'odometry' and name not in self.record(file):
            return False
        return field.required or field.key in self.record(file)

    def locate(self, name: str) -> FoundField:
        """Return the place of a field."""
        if name not in self._places:
            raise self.absent(name)
        file, field = self._places[name]
        record, first, sizes = self.record(file), 0, {}
        if field.shape.startswith(ROWS):
            first = record.frame_range(file.first_key)[0]
        elif field.shape.startswith(FRAMES) and self.source.length_field:
            sizes = dict(F=self.frames)
        return FoundField(record, field, first, sizes)

    def packed(self, name: str, start: int, end: int) -> Tensor:
        """Return a field as sequence packs store it: features keep their type."""
        # The writer of packs checks labels, of which it knows where they are valid.
        needed = torch.zeros(end - start, dtype=torch.bool) if ARRAYS[name].label else None
        values = self.values(name, start, end, needed)
        if ARRAYS[name].kind == 'feature':
            record, field, first, _ = self.locate(name)
            return record.tensor(field.key, field.shape)[start - first : end - first]
        ranks = {len(shape.split()) for shape in ARRAYS[name].shapes}
        return values if values.ndim in ranks else values.expand(end - start, *values.shape)

    @property
    def img_wh(self) -> tuple[int, int]:
        """Image width and height in pixels."""
        if self.has('img_wh'):
            return super().img_wh
        size = self.source.default_img_wh(self.name)
        if size is None:
            raise self.absent('img_wh')
        return size

    @property
    def gender(self) -> str:
        """Gender of the body model of the labels."""
        return super().gender if 'gender' in self._places else 'neutral'

    @property
    def valid_ranges(self) -> list[tuple[int, int]]:
        """Frames (start, end) of valid labels."""
        return self.source.good_ranges(self.name, super().valid_ranges)

    def record(self, file: SourceFile) -> PackRecord:
        """Return the entry of the sequence in a file of the layout."""
        if file.path not in self._records:
            self._records[file.path] = self._open(file)
        return self._records[file.path]

    def _open(self, file: SourceFile) -> PackRecord:
        path = self.source.path(file, self.info)
        if file.per_sequence:
            return PackRecord.read(path, self.name)
        if not file.bare:
            return PackRecord.of(path, self.name)
        entries, key = load_pack(path), file.fields[0].key
        fields = {key: entries[self.name]} if self.name in entries else {}
        return PackRecord(path, self.name, fields)
