"""Base of the formats that can be validated, and the table of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ....core.errors import GVHMRError
from ...pack_io import load_pack, read_pack
from ..fields import FieldSpec
from ..finding import ERROR, WARNING, Finding
from ..sequence import Sequence

LAYOUTS: dict[str, type['PackLayout']] = {}
"""Every format by its name; :func:`register_layout` adds one."""


class SequenceName(NamedTuple):
    """A sequence of a dataset, and the part of it, such as ``train``, that it belongs to."""

    part: str
    name: str


class PackLayout:
    """A format: where its files are and what they hold.

    A subclass names its files, lists its sequences and reads one. It is registered with
    :func:`register_layout`, and nothing else has to know it.

    Args:
        folder (Path): The folder of the format's files.
    """

    name = ''
    subfolder = ''
    """Where ``folder`` is below a data root."""
    files: tuple[str, ...] = ()
    """Files that the format is recognised by."""
    gravity: Optional[tuple[float, float, float]] = None

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.file_findings: list[Finding] = []
        self._unreadable: set[Path] = set()

    @classmethod
    def found_in(cls, folder: Path) -> bool:
        """Tell whether a folder has files of the format."""
        return any((folder / file).exists() for file in cls.files)

    @classmethod
    def folders(cls, path: Path) -> list[Path]:
        """Return the folders of the format at a path: a data root, a folder or one of its files."""
        inside = path / cls.subfolder.split('/')[-1]
        for folder in (path, path.parent, inside, path / cls.subfolder):
            own_file = folder != path.parent or path.name in cls.files
            if own_file and cls.found_in(folder):
                return [folder]
        return []

    @property
    def title(self) -> str:
        """What reports call it."""
        return self.name

    # -- to be written by a subclass --------------------------------------------------------------

    def sequences(self) -> list[SequenceName]:
        """Return all sequences that the files list, noting files that are missing or damaged."""
        raise NotImplementedError

    def read(self, name: SequenceName) -> Sequence:
        """Return a sequence with its fields."""
        raise NotImplementedError

    # ---------------------------------------------------------------------------------------------

    def pack(self, file: str, severity: str = ERROR) -> Mapping:
        """Return a file of all sequences; an empty one, and a finding, where there is none.

        Args:
            file (str): Its name below the folder.
            severity (str): How bad it is if it is missing; '' if it is not at all.
        """
        path = self.folder / file
        if path in self._unreadable:
            return {}
        try:
            if not path.exists():
                self._unreadable.add(path)
                if severity:
                    self._note(severity, 'missing-file', 'does not exist', path)
                return {}
            return load_pack(path)
        except GVHMRError as error:
            self._unreadable.add(path)
            self._note(ERROR, 'unreadable', str(error), path)
            return {}

    def _note(self, severity: str, check: str, message: str, path: Path) -> None:
        self.file_findings.append(Finding(severity, message, str(path), '', check))

    def add_entry(
        self, sequence: Sequence, file: str, specs: tuple[FieldSpec, ...], severity: str = ERROR
    ) -> Any:
        """Add a sequence's entry of a file of all sequences.

        Args:
            sequence (Sequence): Gets the fields.
            file (str): The file.
            specs (tuple[FieldSpec, ...]): Its fields.
            severity (str): How bad it is if the file is missing. Defaults to ``error``.

        Returns:
            Any: The entry, or None.
        """
        entries, path = self.pack(file, severity), self.folder / file
        if path in self._unreadable:
            return None
        if sequence.name not in entries:
            sequence.error('unknown-sequence', 'the file does not have the sequence', path)
            return None
        sequence.add(path, entries[sequence.name], specs)
        return entries[sequence.name]

    def read_file(self, sequence: Sequence, path: Path, required: bool = True) -> Optional[Any]:
        """Return the content of a sequence's own file, or None and a finding."""
        if not path.exists():
            if required:
                sequence.error('missing-file', 'does not exist', path)
            return None
        try:
            return read_pack(path)
        except GVHMRError as error:
            sequence.error('unreadable', str(error), path)
            return None

    def note_missing_flips(self, folder: str) -> None:
        """Warn that the flip test, which is on by default, lacks all of its files."""
        path = self.folder / folder
        if not path.is_dir():
            self._note(WARNING, 'missing-file', 'does not exist: no flip test', path)

    def findings_between(self, names: list[SequenceName]) -> Iterator[Finding]:
        """Yield what is wrong between sequences: names that only differ in upper case."""
        seen: dict[tuple[str, str], str] = {}
        for part, name in names:
            other = seen.setdefault((part, name.lower()), name)
            if other != name:
                message = f'the names {other!r} and {name!r} differ in upper case only'
                yield Finding(WARNING, message, str(self.folder), '', 'duplicate')


def register_layout(layout: type[PackLayout]) -> type[PackLayout]:
    """Add a format to :data:`LAYOUTS`; used as a decorator of its class."""
    LAYOUTS[layout.name] = layout
    return layout


def smpl_fields(prefix: str, body_pose: int, where: str = 'w') -> tuple[FieldSpec, ...]:
    """Return the fields of SMPL parameters below ``prefix``.

    Args:
        prefix (str): Key of the dict that holds them.
        body_pose (int): Numbers of the body pose.
        where (str): ``w`` in the world, ``c`` in the camera. Defaults to ``w``.
    """
    return (
        FieldSpec(f'{prefix}.body_pose', 'body_pose', f'F {body_pose}'),
        FieldSpec(f'{prefix}.betas', 'betas', 'F 10'),
        FieldSpec(f'{prefix}.global_orient', f'orient_{where}', 'F 3'),
        FieldSpec(f'{prefix}.transl', f'transl_{where}', 'F 3'),
    )
