"""Fields of a sequence: what a format promises, and what a file holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Optional

import torch
from torch import Tensor

from ...core.checks import check_shape
from ...core.errors import ShapeError
from .finding import ERROR, WARNING, Finding

FRAMES, ROWS = 'F', 'R'
"""First letters of shapes: frames of the sequence, or rows of a file that begins elsewhere."""
HUGE = 1e6
_PLAIN = {'text': str, 'numbers': (list, tuple, Tensor)}


class FieldSpec(NamedTuple):
    """A field that a format promises.

    Args:
        key (str): Path of nested keys, joined by dots.
        role (str): What the checks know it as, such as ``boxes``.
        shape (str): As for :func:`~gvhmr_da_mm.core.checks.check_shape`; empty for other values.
        kind (str): ``number``, ``bool`` (tensors), ``text`` or ``numbers``. Defaults to
            ``number``.
        required (bool): Defaults to True.
    """

    key: str
    role: str
    shape: str
    kind: str = 'number'
    required: bool = True


@dataclass(frozen=True)
class Field:
    """A field as a file holds it, of the promised shape.

    Attributes:
        path (Path): The file.
        key (str): Path of nested keys.
        role (str): What the checks know it as.
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
        """Return a finding that must be mended."""
        return Finding(ERROR, message, str(self.path), self.key)

    def warning(self, message: str) -> Finding:
        """Return a finding that is worth a look."""
        return Finding(WARNING, message, str(self.path), self.key)

    def count(self, bad: Tensor) -> str:
        """Say how many frames are bad (F,), and which is the first."""
        where = self.first + int(bad.nonzero()[0])
        return f'in {int(bad.sum())} of {len(bad)} frames, first in frame {where}'


def read_fields(
    path: Path, content: Any, specs: tuple[FieldSpec, ...], first: int = 0
) -> Iterator[tuple[Optional[Field], Optional[Finding]]]:
    """Look a format's fields up in a record.

    Args:
        path (Path): The file.
        content (Any): The record, which should be a dict.
        specs (tuple[FieldSpec, ...]): What is promised.
        first (int): Frame that row 0 is of. Defaults to 0.

    Yields:
        tuple[Field | None, Finding | None]: A sound field, what is wrong with it, or both.
    """
    for spec in specs:
        value, found = _look_up(content, spec.key)
        if not found:
            if spec.required:
                yield None, Finding(ERROR, 'is missing', str(path), spec.key, 'missing-key')
            continue
        problem = _wrong_type(value, spec) or _wrong_shape(value, spec)
        if problem:
            check, message = problem
            yield None, Finding(ERROR, message, str(path), spec.key, check)
            continue
        letter = spec.shape[:1] if spec.shape[:1] in (FRAMES, ROWS) else ''
        plain = value.detach() if isinstance(value, Tensor) else value
        field = Field(Path(path), spec.key, spec.role, plain, letter, first)
        yield field, _odd_type(field, spec)


def _look_up(content: Any, key: str) -> tuple[Any, bool]:
    for part in key.split('.'):
        if not isinstance(content, Mapping) or part not in content:
            return None, False
        content = content[part]
    return content, True


def _wrong_type(value: Any, spec: FieldSpec) -> Optional[tuple[str, str]]:
    if spec.kind in _PLAIN:
        if isinstance(value, _PLAIN[spec.kind]):
            return None
        return 'dtype', f'expected {spec.kind}, got {type(value).__name__}'
    if not isinstance(value, Tensor):
        return 'dtype', f'expected a tensor of shape ({spec.shape}), got {type(value).__name__}'
    if value.layout != torch.strided or value.is_quantized or value.is_complex():
        return 'dtype', f'expected a dense tensor of real numbers, got {value.dtype}'
    return None


def _wrong_shape(value: Any, spec: FieldSpec) -> Optional[tuple[str, str]]:
    if not spec.shape:
        return None
    try:
        check_shape(value, spec.shape, spec.key)
    except ShapeError:
        return 'shape', f'expected shape ({spec.shape}), got {tuple(value.shape)}'
    return None


def _odd_type(field: Field, spec: FieldSpec) -> Optional[Finding]:
    if spec.kind not in ('number', 'bool'):
        return None
    is_bool = field.value.dtype == torch.bool
    if is_bool == (spec.kind == 'bool'):
        return None
    message = f'expected {spec.kind} values, got {field.value.dtype}'
    severity = WARNING if spec.kind == 'bool' else ERROR
    return Finding(severity, message, str(field.path), field.key, 'dtype')
