"""Declaration of the layout of published files: their fields and keys."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Optional

from ..packs.pack_schema import ARRAYS

FACTS = {'img_wh': '2', 'gender': '', 'valid_ranges': ''}
"""Fields of a sequence beside the arrays of the schema, with the shapes of tensors.

``img_wh`` is the image's width and height in pixels, ``gender`` the body model of the labels, and
``valid_ranges`` the frames (start, end) of valid labels.
"""
FRAMES, ROWS = 'F', 'R'
"""First letters of shapes: frames of the sequence, or rows of a file that begins elsewhere."""


@dataclass(frozen=True)
class StoredField:
    """Place of a field in a file.

    Args:
        name (str): The field: one of :data:`~..packs.pack_schema.ARRAYS` or :data:`FACTS`.
        shape (str, optional): Stored shape, as for ``check_shape``; ``R`` in place of ``F`` counts
            rows from the first frame that the file names. Defaults to None: as in the schema.
        key (str, optional): Path of nested keys, joined by dots. Defaults to None: the name.
        columns (tuple[int, int], optional): Range of the last axis. Defaults to None: all.
        add_camera (bool): Whether the stored translation lacks that of ``T_w2c``. Defaults to
            False.
        required (bool): Whether every entry has it. Defaults to True.
    """

    name: str
    shape: Optional[str] = None
    key: Optional[str] = None
    columns: Optional[tuple[int, int]] = None
    add_camera: bool = False
    required: bool = True

    def __post_init__(self) -> None:
        if self.shape is None:
            array = ARRAYS.get(self.name)
            shape = FACTS[self.name] if array is None else array.shapes[0]
            object.__setattr__(self, 'shape', shape)
        if self.key is None:
            object.__setattr__(self, 'key', self.name)

    @cached_property
    def per_frame(self) -> bool:
        """Whether the first axis is time."""
        return self.shape[:1] in (FRAMES, ROWS)


@dataclass(frozen=True)
class SourceFile:
    """One file of a layout: a dict from sequence to entry, or one file for each sequence.

    Args:
        path (str): File path below the folder, with ``{part}`` of the data set and, if each
            sequence has its own file, ``{name}``.
        fields (tuple[StoredField, ...]): Fields of an entry.
        parts (tuple[str, ...]): Parts of the data set that have it. Defaults to (): all.
        use (str): Purpose: ``inputs``, ``labels`` (of training clips), ``flip``,
            ``odometry``, or ``optional``: nothing. Defaults to ``inputs``.
        bare (bool): Whether an entry is the array itself, without a key. Defaults to False.
        first_key (str): Key of the frames (start, end) of its rows. Defaults to '': rows
            begin at frame 0.
    """

    path: str
    fields: tuple[StoredField, ...]
    parts: tuple[str, ...] = ()
    use: str = 'inputs'
    bare: bool = False
    first_key: str = ''

    @property
    def per_sequence(self) -> bool:
        """Whether each sequence has a file of its own."""
        return '{name}' in self.path

    def at(self, folder: Path, part: str, name: str) -> Path:
        """Return the file that holds a sequence of a part."""
        return folder / self.path.format(part=part, name=name)

    def folder_at(self, folder: Path, part: str) -> Path:
        """Return the file or, if each sequence has its own, the folder of these files."""
        return folder / self.path.split('/{name}')[0].format(part=part)

    def in_part(self, part: str) -> bool:
        """Return whether a part of the data set has it."""
        return not self.parts or part in self.parts


def stored_as_named(*names: str) -> tuple[StoredField, ...]:
    """Return fields that are stored under their names, in the shapes of the schema."""
    return tuple(map(StoredField, names))


def body_parameters(group: str) -> tuple[StoredField, ...]:
    """Return the parameters of a body model that are stored under their names below ``group``."""
    return stored_as_named(*(name for name in ARRAYS if name.startswith(f'{group}.')))


MIRRORED = (
    StoredField('flip_features', key='features'),
    StoredField('flip_bbx_xys', key='bbx_xys'),
)
"""Fields of a file of mirrored images."""
