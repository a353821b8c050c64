"""BEDLAM as published with GVHMR."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Optional

from torch import Tensor

from ....core.conventions import GRAVITY_Y_UP
from ....core.errors import DataError
from ...bedlam import feature_file
from ..fields import FieldSpec
from ..finding import ERROR, Finding
from ..sequence import FrameRange, Sequence
from .base import PackLayout, SequenceName, register_layout
from .rich import SMPLX_ROOT

_LABELS = 'smplpose_v2.pth'
_PARTS = ('all60', 'maxspan60')
_LABEL_FIELDS = (
    FieldSpec('pose', 'pose', 'F 66'),
    FieldSpec('trans', 'transl_w', 'F 3'),
    FieldSpec('beta', 'betas', '10'),
    FieldSpec('skeleton', 'rest_root', '22 3'),
    FieldSpec('cam_int', 'K', 'F 3 3'),
    FieldSpec('cam_ext', 'T_w2c', 'F 4 4'),
    FieldSpec('global_orient_incam', 'orient_c', 'F 3'),
    FieldSpec('trans_incam', 'trans_incam', 'F 3'),
)
_FEATURE_FIELDS = (
    FieldSpec('features', 'features', 'R 1024'),
    FieldSpec('bbx_xys', 'boxes', 'R 3'),
    FieldSpec('img_wh', 'img_wh', '2'),
    FieldSpec('start_end', 'start_end', '', 'numbers'),
)


@register_layout
class BEDLAMLayout(PackLayout):
    """Labels in one file, two lists of clips, features in one file per clip."""

    name = 'bedlam'
    subfolder = 'BEDLAM/hmr4d_support'
    files = (_LABELS, *(f'mid_to_valid_range_{part}.pt' for part in _PARTS))

    def sequences(self) -> list[SequenceName]:
        """Return what the lists of clips name."""
        self.pack(_LABELS)
        return [
            SequenceName(part, str(mid)) for part in _PARTS for mid in self.pack(self._list(part))
        ]

    @staticmethod
    def _list(part: str) -> str:
        return f'mid_to_valid_range_{part}.pt'

    def _features(self, name: SequenceName) -> Path:
        return self.folder / 'imgfeats' / f'bedlam_{name.part}' / feature_file(name.name)

    def read(self, name: SequenceName) -> Sequence:
        """Return a clip of one of the lists."""
        sequence = Sequence(self.name, name.name, name.part, GRAVITY_Y_UP, SMPLX_ROOT)
        self._add_range(sequence, name)
        self.add_entry(sequence, _LABELS, _LABEL_FIELDS)
        self._add_features(sequence, name)
        sequence.settle()
        _split_pose(sequence)
        return sequence

    def _add_range(self, sequence: Sequence, name: SequenceName) -> None:
        path = self.folder / self._list(name.part)
        limits = _pair(self.pack(self._list(name.part)).get(name.name))
        if limits is None:
            sequence.error('dtype', 'expected a pair of frames (start, end)', path, name.name)
        else:
            sequence.ranges.append(FrameRange(path, name.name, *limits))

    def _add_features(self, sequence: Sequence, name: SequenceName) -> None:
        try:
            path = self._features(name)
        except DataError as error:
            sequence.error('unknown-sequence', str(error))
            return
        content = self.read_file(sequence, path)
        if content is None:
            return
        stored = content.get('start_end') if isinstance(content, Mapping) else None
        limits = _pair(stored)
        sequence.add(path, content, _FEATURE_FIELDS, limits[0] if limits else 0)
        rows = sequence.get('features')
        if stored is not None and limits is None:
            sequence.error('dtype', 'expected a pair of frames (start, end)', path, 'start_end')
        elif limits and rows is not None and limits[1] - limits[0] != len(rows):
            message = f'says frames {limits[0]} to {limits[1]}, but there are {len(rows)} rows'
            sequence.error('length', message, path, 'start_end')

    def findings_between(self, names: list[SequenceName]) -> Iterator[Finding]:
        """Yield clips whose features would be in the same file."""
        yield from super().findings_between(names)
        owners: dict[Path, str] = {}
        for name in names:
            try:
                path = self._features(name)
            except DataError:
                continue  # A finding of its sequence.
            other = owners.setdefault(path, name.name)
            if other != name.name:
                message = f'{other!r} and {name.name!r} share this file of features'
                yield Finding(ERROR, message, str(path), '', 'duplicate')


def _pair(value: Any) -> Optional[tuple[int, int]]:
    """Return a pair of frame numbers, or None if it is none."""
    value = value.tolist() if isinstance(value, Tensor) else value
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return None
    try:
        return int(value[0]), int(value[1])
    except (TypeError, ValueError, OverflowError):
        return None


def _split_pose(sequence: Sequence) -> None:
    """Name the parts of the stored pose, and add the camera's translation where it is left out."""
    pose = sequence.get('pose')
    if pose is not None:
        for role, columns in (('orient_w', slice(0, 3)), ('body_pose', slice(3, 66))):
            sequence.derive(pose, role, pose.value[:, columns])
    found = sequence.together('trans_incam', 'T_w2c')
    if found is not None:
        turned, extrinsics = found
        sequence.derive(turned, 'transl_c', turned.value + extrinsics.value[:, :3, 3])
