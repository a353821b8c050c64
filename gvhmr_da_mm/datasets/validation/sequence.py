"""Sequence of a pack for the checks of the validator."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Optional

import torch
from torch import Tensor

from ...core.errors import GVHMRError
from ..pack_io import PackRecord, PathLike, RecordError
from ..sources import StoredField
from ..sources.layout import FRAMES, ROWS
from .fields import Field, read_field
from .finding import ERROR, Finding

MAX_NUMBER = 1e6
"""A larger number is taken for damaged data."""
LABEL_ROLES = ('body_pose', 'betas', 'orient_w', 'orient_c', 'transl_w', 'transl_c')
"""Fields of which frames without valid labels may hold anything."""


class FrameRange(NamedTuple):
    """Usable frames [start, end) according to a file."""

    path: Path
    key: str
    start: Any
    end: Any


class Sequence:
    """Fields of a sequence from all files of its format.

    Fields that are missing, of a wrong type, shape or length, or not finite become findings, and
    are left out of the checks.

    Args:
        dataset (str): Name of the format.
        name (str): The sequence.
        part (str): The part of the dataset it belongs to, such as ``train``. Defaults to ''.
        gravity (tuple[float, float, float], optional): Direction of gravity in the labels' world.
            Defaults to None: unknown.
        root (tuple[float, float, float]): Rest position of the labels' root joint in m, roughly.

    Attributes:
        frames (int | None): Its length, once :meth:`settle` was called.
        img_wh (tuple[float, float] | None): Image width and height in pixels.
        ranges (list[FrameRange]): Usable frames.
        findings (list[Finding]): Findings so far.
    """

    def __init__(
        self,
        dataset: str,
        name: str,
        part: str = '',
        gravity: Optional[tuple[float, float, float]] = None,
        root: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> None:
        self.dataset, self.name, self.part = dataset, name, part
        self.gravity, self.root = gravity, root
        self.frames: Optional[int] = None
        self.img_wh: Optional[tuple[float, float]] = None
        self.ranges: list[FrameRange] = []
        self.findings: list[Finding] = []
        self._fields: list[Field] = []

    def add(self, record: PackRecord, field: StoredField, role: str, first: int = 0) -> None:
        """Add a field of a record, see :func:`~.fields.read_field`."""
        with self.collect_errors(record.path):
            found, finding = read_field(record, field, role, first)
            self._fields.append(found)
            self.findings += [] if finding is None else [finding]

    @contextmanager
    def collect_errors(self, path: PathLike) -> Iterator[None]:
        """Catch errors of reading ``path`` and add findings."""
        try:
            yield
        except RecordError as error:
            self.error(error.check, error.problem, error.path, error.key)
        except GVHMRError as error:
            self.error('unreadable', str(error), path)

    def derive(self, field: Field, role: str, value: Tensor) -> None:
        """Add a field that is computed from another, under a new role."""
        self._fields.append(replace(field, role=role, value=value))

    def error(self, check: str, message: str, path: PathLike = '', key: str = '') -> None:
        """Add an error, once for each check and field."""
        known = {(finding.check, finding.file, finding.key) for finding in self.findings}
        if (check, str(path), key) not in known:
            self.findings.append(Finding(ERROR, message, str(path), key, check))

    def all(self, role: str) -> list[Field]:
        """Return the fields of a role; one sequence may have several, of different files."""
        return [field for field in self._fields if field.role == role]

    def get(self, role: str) -> Optional[Field]:
        """Return the first field of a role, or None."""
        return next(iter(self.all(role)), None)

    def together(self, *roles: str) -> Optional[list[Field]]:
        """Return a field for each role, or None unless all are there."""
        fields = [self.get(role) for role in roles]
        return None if any(field is None for field in fields) else fields

    def settle(self) -> 'Sequence':
        """Determine the length, and drop fields of other lengths or with bad values."""
        self._check_lengths()
        self._fields = [field for field in self._fields if self._is_finite(field)]
        size = self.get('img_wh')
        if size is not None and self.img_wh is None:
            self.img_wh = tuple(float(value) for value in size.value)
        return self

    @property
    def trusted(self) -> Tensor:
        """Valid mask of the labels (F,), from the mask and the ranges of the files."""
        frames = self.frames or 0
        trusted = torch.ones(frames, dtype=torch.bool)
        mask = self.get('mask')
        if mask is not None:
            trusted &= mask.value.bool()
        if self.ranges:
            inside = torch.zeros(frames, dtype=torch.bool)
            for _, _, start, end in self.ranges:
                inside[max(int(start), 0) : max(int(end), 0)] = True
            trusted &= inside
        return trusted

    def _check_lengths(self) -> None:
        whole = [field for field in self._fields if field.letter == FRAMES]
        if whole:
            self.frames = Counter(map(len, whole)).most_common(1)[0][0]
        by_file: dict[Path, list[int]] = {}
        for field in self._fields:
            if field.letter == ROWS:
                by_file.setdefault(field.path, []).append(len(field))
        wrong = []
        for field in self._fields:
            if not field.letter:
                continue
            rows = by_file.get(field.path)
            usual = self.frames if field.letter == FRAMES else Counter(rows).most_common(1)[0][0]
            if len(field) != usual:
                message = f'has {len(field)} frames, other fields of the sequence have {usual}'
                self.error('length', message, field.path, field.key)
                wrong.append(field)
            elif not len(field):
                self.error('length', 'has no frame', field.path, field.key)
                wrong.append(field)
        self._fields = [field for field in self._fields if not any(field is w for w in wrong)]

    def _is_finite(self, field: Field) -> bool:
        value = field.value
        if not isinstance(value, Tensor) or value.dtype == torch.bool:
            return True
        flat = value.float().reshape(len(value) if value.ndim else 1, -1)
        for check, name, bad in (
            ('not-finite', 'NaN or infinity', ~flat.isfinite()),
            ('huge', f'numbers above {MAX_NUMBER:.0e}', flat.abs() > MAX_NUMBER),
        ):
            bad = bad.any(dim=1)
            trusted = self.trusted
            if field.role in LABEL_ROLES and field.letter and len(bad) == len(trusted):
                bad &= trusted
            if bad.any():
                where = field.count(bad) if field.letter else 'in it'
                self.error(check, f'{name} {where}', field.path, field.key)
                return False
        return True
