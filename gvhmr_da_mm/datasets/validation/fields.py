"""Fields of a sequence for the checks of the validator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import torch
from torch import Tensor

from ..pack_io import PackRecord
from ..packs.pack_schema import ARRAYS
from ..sources import StoredField
from .finding import ERROR, WARNING, Finding

_PLAIN_TYPES = {'gender': (str,), 'valid_ranges': (list, tuple)}
"""Types of the fields that are no tensors."""


@dataclass(frozen=True)
class Field:
    """Field of a file, of the declared shape.

    Attributes:
        path (Path): The file.
        key (str): Nested keys, joined by dots.
        role (str): Name that the checks use.
        value (Any): The stored value; tensors are memory-mapped and not read yet.
        letter (str): ``F`` or ``R`` where the first axis is time, else ''.
        first (int): Frame of the sequence that row 0 is of. Defaults to 0.
    """

    path: Path
    key: str
    role: str
    value: Any
    letter: str = ''
    first: int = 0

    def __len__(self) -> int:
        return len(self.value)

    @property
    def rows(self) -> Tensor:
        """The values in float64, for geometry."""
        return torch.as_tensor(self.value).double()

    def error(self, message: str) -> Finding:
        """Return a finding that must be fixed."""
        return Finding(ERROR, message, str(self.path), self.key)

    def warning(self, message: str) -> Finding:
        """Return a finding that should be reviewed."""
        return Finding(WARNING, message, str(self.path), self.key)

    def count(self, bad: Tensor) -> str:
        """Return a phrase with the number of bad frames (F,) and the first one."""
        where = self.first + int(bad.nonzero()[0])
        return f'in {int(bad.sum())} of {len(bad)} frames, first in frame {where}'


def read_field(
    record: PackRecord, field: StoredField, role: str, first: int = 0
) -> tuple[Field, Optional[Finding]]:
    """Read a field for the checks.

    Args:
        record (PackRecord): The entry of a file.
        field (StoredField): Its key and shape in it.
        role (str): Name that the checks use.
        first (int): Frame of row 0. Defaults to 0.

    Returns:
        tuple[Field, Finding | None]: The field, and a finding if its type is not the declared one.

    Raises:
        DataError: If it is missing, or of another shape.
    """
    types = _PLAIN_TYPES.get(field.name)
    value = record.value(field.key, *types) if types else record.tensor(field.key, field.shape)
    letter = field.shape[:1] if field.per_frame else ''
    found = Field(Path(record.path), field.key, role, value, letter, first)
    kind = ARRAYS[field.name].kind if field.name in ARRAYS else ''
    if types or (value.dtype == torch.bool) == (kind == 'bool'):
        return found, None
    expected = 'bool' if kind == 'bool' else 'number'
    message = f'expected {expected} values, got {value.dtype}'
    severity = WARNING if kind == 'bool' else ERROR
    return found, Finding(severity, message, str(record.path), field.key, 'dtype')
