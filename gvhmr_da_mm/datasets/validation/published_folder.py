"""Published files as the checks see them: what their source declares."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Optional

from torch import Tensor

from ...core.errors import DataError, GVHMRError
from ..pack_io import read_pack
from ..packs.pack_schema import ARRAYS
from ..sources import PublishedSource, SequenceInfo, SourceFile, StoredField
from .fields import FieldSpec
from .finding import ERROR, WARNING, Finding
from .folder import DataFolder, role_of, root_of
from .sequence import FrameRange, Sequence

_KINDS = {'gender': 'text', 'valid_ranges': 'numbers'}


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
        """Return the files that a layout is recognised by."""
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
        self._add_listed_range(sequence, info)
        for file in files:
            self._add_file(sequence, info, file)
        sequence.settle()
        if sequence.get('img_wh') is None:
            sequence.img_wh = self.source.default_img_wh(info.name)
        _derive(sequence, fields)
        return sequence

    def _add_listed_range(self, sequence: Sequence, info: SequenceInfo) -> None:
        if self.source.length_field:
            return
        path = self.source.index_file(info.part)
        limits = _pair(self.entries(path).get(info.name))
        if limits is None:
            sequence.error('dtype', 'expected a pair of frames (start, end)', path, info.name)
        else:
            sequence.ranges.append(FrameRange(path, info.name, *limits))

    def _add_file(self, sequence: Sequence, info: SequenceInfo, file: SourceFile) -> None:
        try:
            path = self.source.path(file, info)
        except DataError as error:
            sequence.error('unknown-sequence', str(error))
            return
        own = file.per_sequence
        content = self._own_entry(sequence, info, file, path) if own else None
        content = content if own else self._shared_entry(sequence, file, path)
        if content is None:
            return
        first = self._first_frame(sequence, file, path, content)
        sequence.add(path, content, _specs(file), first)
        for field in file.fields:
            if field.name == 'valid_ranges' and isinstance(content, Mapping):
                self._add_valid_ranges(sequence, path, field.key, content.get(field.key))

    def _own_entry(
        self, sequence: Sequence, info: SequenceInfo, file: SourceFile, path: Path
    ) -> Optional[Any]:
        if not path.exists():
            # Sequences that are trained on need no mirrored features.
            flip = file.use == 'flip' and 'train' not in info.splits
            if file.use == 'inputs' or (flip and file.folder_at(self.folder, info.part).is_dir()):
                sequence.error('missing-file', 'does not exist', path)
            return None
        try:
            return read_pack(path)
        except GVHMRError as error:
            sequence.error('unreadable', str(error), path)
            return None

    def _shared_entry(self, sequence: Sequence, file: SourceFile, path: Path) -> Optional[Any]:
        entries = self.entries(path, ERROR if file.use == 'inputs' else '')
        if path in self._unreadable or (file.use == 'odometry' and sequence.name not in entries):
            return None
        if sequence.name not in entries:
            sequence.error('unknown-sequence', 'the file does not have the sequence', path)
            return None
        entry = entries[sequence.name]
        return {file.fields[0].key: entry} if file.bare else entry

    @staticmethod
    def _first_frame(sequence: Sequence, file: SourceFile, path: Path, content: Any) -> int:
        if not file.first_key or not isinstance(content, Mapping):
            return 0
        key, limits = file.first_key, _pair(content.get(file.first_key))
        if key in content and limits is None:
            sequence.error('dtype', 'expected a pair of frames (start, end)', path, key)
        if limits is None:
            return 0
        rows = content.get(file.fields[0].key)
        if isinstance(rows, Tensor) and rows.ndim and limits[1] - limits[0] != len(rows):
            message = f'says frames {limits[0]} to {limits[1]}, but there are {len(rows)} rows'
            sequence.error('length', message, path, key)
        return limits[0]

    def _add_valid_ranges(self, sequence: Sequence, path: Path, key: str, stored: Any) -> None:
        if not isinstance(stored, (list, tuple)):
            return
        if not all(_is_range(limits) for limits in stored):
            sequence.error('dtype', 'expected pairs of frames (start, end)', path, key)
            return
        ranges = self.source.good_ranges(sequence.name, stored)
        sequence.ranges += [FrameRange(path, key, *limits) for limits in ranges]

    def findings_between(self, infos: list[SequenceInfo]) -> Iterator[Finding]:
        """Yield sequences whose features would be in the same file, besides what all folders do."""
        yield from super().findings_between(infos)
        owners: dict[Path, str] = {}
        for info in infos:
            for file in self.source.files:
                if file.use != 'inputs' or not file.per_sequence or not file.in_part(info.part):
                    continue
                try:
                    path = self.source.path(file, info)
                except DataError:
                    continue  # A finding of its sequence.
                other = owners.setdefault(path, info.name)
                if other != info.name:
                    message = f'{other!r} and {info.name!r} share this file of features'
                    yield Finding(ERROR, message, str(path), '', 'duplicate')


def _is_part(field: StoredField) -> bool:
    """Tell whether what is stored is not yet the field."""
    return field.columns is not None or field.add_camera


def _specs(file: SourceFile) -> tuple[FieldSpec, ...]:
    specs = {}
    for field in file.fields:
        is_mask = field.name in ARRAYS and ARRAYS[field.name].kind == 'bool'
        kind = _KINDS.get(field.name, 'bool' if is_mask else 'number')
        role = field.key if _is_part(field) else role_of(field.name)
        specs[field.key] = FieldSpec(field.key, role, field.shape, kind, field.required)
    if file.first_key:
        specs[file.first_key] = FieldSpec(file.first_key, file.first_key, '', 'numbers')
    return tuple(specs.values())


def _derive(sequence: Sequence, fields: list[StoredField]) -> None:
    """Add the fields that are parts of what is stored, or lack the camera's translation."""
    parts = {(f.key, f.columns, role_of(f.name)): f for f in fields if _is_part(f)}
    for (key, columns, role), field in parts.items():
        stored, camera = sequence.get(key), sequence.get('T_w2c')
        if stored is None or (field.add_camera and camera is None):
            continue
        value = stored.value if columns is None else stored.value[..., slice(*columns)]
        sequence.derive(stored, role, value + camera.value[:, :3, 3] if field.add_camera else value)


def _pair(value: Any) -> Optional[tuple[int, int]]:
    """Return a pair of frame numbers, or None if it is none."""
    value = value.tolist() if isinstance(value, Tensor) else value
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return None
    try:
        return int(value[0]), int(value[1])
    except (TypeError, ValueError, OverflowError):
        return None


def _is_range(limits: Any) -> bool:
    whole = isinstance(limits, (list, tuple)) and len(limits) == 2
    return whole and all(isinstance(frame, int) for frame in limits)
