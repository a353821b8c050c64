"""Lazy reader of the fields of one sequence, by the names of the pack schema."""

from typing import NamedTuple, Optional

from torch import Tensor

from ...body_models.loading import GENDERS
from ...core.errors import DataError
from ..pack_io import PackRecord, as_frame_range
from ..packs.pack_schema import ARRAYS
from .layout import StoredField

_RANKS = {name: len(array.shapes[0].split()) for name, array in ARRAYS.items()}
"""Number of axes of each field with a row per frame."""


class FoundField(NamedTuple):
    """Place of a field of one sequence.

    Args:
        record (PackRecord): The entry of a file.
        field (StoredField): Its key and shape in it.
        first (int): Frame that row 0 belongs to.
        sizes (dict): Known letters of its shape.
    """

    record: PackRecord
    field: StoredField
    first: int
    sizes: dict[str, int]


class SequenceReader:
    """Base of the readers of one sequence; an instance reads one clip.

    Frame numbers are those of the video.

    Args:
        name (str): Name of the sequence in samples.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        # Rows that several fields share.
        self._shared_rows: dict[tuple[str, int, int, bool], Tensor] = {}

    # -- to be written by a subclass --------------------------------------------------------------

    @property
    def limits(self) -> tuple[int, int]:
        """First frame and one past the last."""
        raise NotImplementedError

    @property
    def static_camera(self) -> bool:
        """Whether the camera stands still."""
        raise NotImplementedError

    @property
    def world_up(self) -> str:
        """Up axis of the world of a given camera, see :class:`PackEntry`; '' if none is given."""
        return ''

    def has(self, name: str) -> bool:
        """Return whether the sequence has a field."""
        raise NotImplementedError

    def locate(self, name: str) -> FoundField:
        """Return the place of a field.

        Raises:
            DataError: If the layout has no such field, or its file cannot be read.
        """
        raise NotImplementedError

    # ---------------------------------------------------------------------------------------------

    def values(self, name: str, start: int, end: int, needed: Optional[Tensor] = None) -> Tensor:
        """Copy the frames [start, end) of a field, or a whole field that is not per frame.

        Args:
            name (str): The field, of :data:`~..packs.pack_schema.ARRAYS`.
            start (int): First frame.
            end (int): One past the last frame.
            needed (Tensor, optional): Frames of these (L,), bool, that have to be finite; for
                labels alone, as a network reads all of its input. Defaults to None: all.

        Returns:
            Tensor: float32 (bool stays bool), finite where needed.

        Raises:
            DataError: With file, sequence and key if it is missing, of another shape, lacks
                frames, or is not finite.
        """
        record, field, first, sizes = self.locate(name)
        if not field.per_frame:
            return record.matrix(field.key, field.shape)
        shared = field.columns is not None or name == 'T_w2c'
        place = (field.key, start, end, needed is None)
        values = self._shared_rows.get(place) if shared else None
        if values is None:
            values = record.rows(field.key, field.shape, start, end, first, needed, **sizes)
        if shared:
            self._shared_rows[place] = values
        if field.columns is not None:
            values = values[..., slice(*field.columns)]
        if field.add_camera:
            values = values + self.values('T_w2c', start, end)[:, :3, 3]
        return values

    def rows(self, name: str, start: int, end: int, needed: Optional[Tensor] = None) -> Tensor:
        """Return :meth:`values` with a row per frame; constant fields are repeated."""
        values = self.values(name, start, end, needed)
        return values if values.ndim == _RANKS[name] else values.expand(end - start, *values.shape)

    def find(self, name: str, start: int, end: int) -> Optional[Tensor]:
        """Return :meth:`rows`, or None if the sequence lacks the field."""
        return self.rows(name, start, end) if self.has(name) else None

    def rotations(self, start: int, end: int) -> Tensor:
        """Return the camera's rotation from world to camera (L, 3, 3)."""
        if self.has('R_w2c'):
            return self.rows('R_w2c', start, end)
        return self.rows('T_w2c', start, end)[:, :3, :3]

    @property
    def img_wh(self) -> tuple[int, int]:
        """Image width and height in pixels."""
        record, field, _, _ = self.locate('img_wh')
        return record.image_size(field.key)

    @property
    def gender(self) -> str:
        """Gender of the body model of the labels: ``male``, ``female`` or ``neutral``."""
        record, field, _, _ = self.locate('gender')
        gender = record.value(field.key, str)
        if gender not in GENDERS:
            raise record.error(field.key, f'one of {GENDERS}', repr(gender))
        return gender

    @property
    def valid_ranges(self) -> list[tuple[int, int]]:
        """Frames (start, end) of valid labels."""
        record, field, _, _ = self.locate('valid_ranges')
        stored = record.value(field.key, list, tuple)
        return [as_frame_range(limits, record, field.key) for limits in stored]

    def absent(self, name: str) -> DataError:
        """Return the error for a field that the layout does not have."""
        return DataError(f'sequence `{self.name}`: {type(self).__name__} has no field {name!r}')
