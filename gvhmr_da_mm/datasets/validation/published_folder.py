"""Published files for the validator, as their source declares them."""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from ...core.errors import DataError
from ..pack_io import PackRecord
from ..sources import PublishedSource, SequenceInfo, SourceFile, StoredField
from ..sources.published_source import PublishedSequence
from .finding import ERROR, WARNING, Finding
from .folder import DataFolder, role_of, root_of
from .sequence import FrameRange, Sequence


class PublishedFolder(DataFolder):
    """The files of a :class:`~..sources.PublishedSource`.

    Args:
        folder (Path): The folder.
        kind (type[PublishedSource]): The layout.
    """

    def __init__(self, folder: Path, kind: type[PublishedSource]) -> None:
        super().__init__(folder, kind.dataset, kind.dataset)
        self.source = kind(folder)

    @staticmethod
    def marks(kind: type[PublishedSource]) -> tuple[str, ...]:
        """Return the files that identify a layout."""
        shared = [
            file.path for file in kind.files if file.use == 'inputs' and not file.per_sequence
        ]
        found = [p.format(part=part) for p in (kind.index, *shared) for part in kind.parts]
        return tuple(dict.fromkeys(found))

    @classmethod
    def folders(cls, kind: type[PublishedSource], path: Path) -> list[Path]:
        """Return the folder of a layout at a path: a data root, a folder or one of its files."""
        marks = cls.marks(kind)
        candidates = [path, path / kind.subfolder.split('/')[-1], path / kind.subfolder]
        if path.name in marks:
            candidates.append(path.parent)
        found = [f for f in candidates if any((f / mark).exists() for mark in marks)]
        return found[:1]

    def sequences(self) -> list[SequenceInfo]:
        """Return what the index files list."""
        for file in self.source.files:
            folder = file.folder_at(self.folder, self.source.parts[-1])
            if file.use == 'flip' and not folder.is_dir():
                self.note(WARNING, 'missing-file', 'does not exist: no flip test', folder)
        return [
            self.source.info(str(name), part)
            for part in self.source.parts
            for name in self.entries(self.source.index_file(part))
        ]

    def read(self, info: SequenceInfo) -> Sequence:
        """Return a sequence with the fields of all its files."""
        files = [file for file in self.source.files if file.in_part(info.part)]
        fields = [field for file in files for field in file.fields]
        root = root_of(field.name for field in fields)
        part = ','.join(info.splits)
        sequence = Sequence(self.name, info.name, part, self.source.gravity, root)
        reader = self.source.open(info)
        for file in files:
            self._add_file(sequence, reader, file)
        if not self.source.length_field:
            path = self.source.index_file(info.part)
            with sequence.collect_errors(path):
                limits = PackRecord(path, info.name, self.entries(path)).frame_range(info.name)
                sequence.ranges.append(FrameRange(path, info.name, *limits))
        stored = sequence.get('valid_ranges')
        if stored is not None:
            with sequence.collect_errors(stored.path):
                ranges = reader.valid_ranges
                sequence.ranges += [FrameRange(stored.path, stored.key, *pair) for pair in ranges]
        sequence.settle()
        if sequence.get('img_wh') is None:
            sequence.img_wh = self.source.default_img_wh(info.name)
        _derive(sequence, fields)
        return sequence

    def _add_file(self, sequence: Sequence, reader: PublishedSequence, file: SourceFile) -> None:
        try:
            path = self.source.path(file, reader.info)
        except DataError as error:
            sequence.error('unknown-sequence', str(error))
            return
        if not self._is_there(sequence, reader.info, file, path):
            return
        with sequence.collect_errors(path):
            record, first = reader.record(file), 0
            if file.first_key:
                with sequence.collect_errors(path):
                    first = _first_frame(sequence, record, file)
            for field in {field.key: field for field in file.fields}.values():
                if field.required or field.key in record:
                    role = field.key if _is_part(field) else role_of(field.name)
                    sequence.add(record, field, role, first)

    def _is_there(
        self, sequence: Sequence, info: SequenceInfo, file: SourceFile, path: Path
    ) -> bool:
        """Return whether a file has the sequence; add a finding if it must."""
        if file.per_sequence:
            # Training sequences need no mirrored features.
            flip = file.use == 'flip' and 'train' not in info.splits
            flip = flip and file.folder_at(self.folder, info.part).is_dir()
            if not path.exists() and (file.use == 'inputs' or flip):
                sequence.error('missing-file', 'does not exist', path)
            return path.exists()
        entries = self.entries(path, ERROR if file.use == 'inputs' else '')
        if sequence.name in entries:
            return True
        if path not in self._unreadable and file.use != 'odometry':
            sequence.error('unknown-sequence', 'the file does not have the sequence', path)
        return False

    def findings_between(self, infos: list[SequenceInfo]) -> Iterator[Finding]:
        """As the base; and sequences that would have their features in the same file."""
        yield from super().findings_between(infos)
        owners: dict[Path, str] = {}
        for info in infos:
            for file in self.source.files:
                if file.use != 'inputs' or not file.per_sequence or not file.in_part(info.part):
                    continue
                try:
                    path = self.source.path(file, info)
                except DataError:
                    continue  # Found when the sequence is read.
                other = owners.setdefault(path, info.name)
                if other != info.name:
                    message = f'{other!r} and {info.name!r} share this file of features'
                    yield Finding(ERROR, message, str(path), '', 'duplicate')


def _is_part(field: StoredField) -> bool:
    """Return whether what is stored is not yet the field."""
    return field.columns is not None or field.add_camera


def _first_frame(sequence: Sequence, record: PackRecord, file: SourceFile) -> int:
    """Return the frame of row 0 of a file with a part of a sequence."""
    start, end = record.frame_range(file.first_key)
    rows = record.value(file.fields[0].key, Tensor)
    if rows.ndim and end - start != len(rows):
        message = f'expected {len(rows)} frames, one for each row, got frames {start} to {end}'
        sequence.error('length', message, record.path, file.first_key)
    return start


def _derive(sequence: Sequence, fields: list[StoredField]) -> None:
    """Add fields that are parts of stored ones, or lack the camera's translation."""
    parts = {(f.key, f.columns, role_of(f.name)): f for f in fields if _is_part(f)}
    for (key, columns, role), field in parts.items():
        stored, camera = sequence.get(key), sequence.get('T_w2c')
        if stored is None or (field.add_camera and camera is None):
            continue
        value = stored.value if columns is None else stored.value[..., slice(*columns)]
        sequence.derive(stored, role, value + camera.value[:, :3, 3] if field.add_camera else value)
