"""Packs of our own (docs/en/packs.md)."""

from pathlib import Path
from typing import Any

import torch

from ....core.conventions import GRAVITY_Y_UP
from ....core.errors import GVHMRError
from ...packs import SequencePack, is_pack
from ...packs.pack_index import INDEX
from ...packs.pack_schema import ARRAYS, REQUIRED
from ..fields import FieldSpec
from ..sequence import FrameRange, Sequence
from .base import PackLayout, SequenceName, register_layout
from .emdb import SMPL_ROOT
from .rich import SMPLX_ROOT

_Y_UP = ('bedlam', 'emdb')
"""Datasets whose converters make sure that y is up."""
_ROLES = {
    'bbx_xys': 'boxes',
    'kp2d': 'keypoints',
    'K_fullimg': 'K',
    'dpvo_poses': 'trajectory',
    'flip_bbx_xys': 'flip_boxes',
    'skeleton': 'rest_root',
    'mask_wham': 'mask',
    'mask_raw': 'other_mask',
    'body_pose': 'body_pose',
    'betas': 'betas',
    'global_orient': 'orient',
    'transl': 'transl',
}
"""What the checks know arrays as; others keep their names."""


@register_layout
class OwnPackLayout(PackLayout):
    """A folder with an index and one file per sequence; a data root may have several in `packs`."""

    name = 'pack'
    subfolder = 'packs'
    files = (INDEX,)

    @classmethod
    def folders(cls, path: Path) -> list[Path]:
        """Return the packs at a path: the folder itself, or those in its folder ``packs``."""
        below = path / cls.subfolder
        candidates = [path, *(sorted(below.iterdir()) if below.is_dir() else ())]
        return [folder for folder in candidates if is_pack(folder)]

    @property
    def title(self) -> str:
        """The format and the folder, as there may be several."""
        return f'{self.name} {self.folder.name}'

    def sequences(self) -> list[SequenceName]:
        """Return what the index lists."""
        pack = self.pack('.')
        if not isinstance(pack, SequencePack):
            return []
        return [SequenceName(','.join(e.splits), name) for name, e in pack.entries.items()]

    def read(self, name: SequenceName) -> Sequence:
        """Return a sequence."""
        pack = self.pack('.')
        entry = pack.entries[name.name]
        gravity = GRAVITY_Y_UP if pack.header.dataset in _Y_UP else None
        is_smpl = any(array.startswith('smpl_params.') for array in entry.arrays)
        root = SMPL_ROOT if is_smpl else SMPLX_ROOT
        sequence = Sequence(self.title, name.name, name.part, gravity, root)
        sequence.img_wh = tuple(map(float, entry.img_wh))
        path = self.folder / entry.file
        for start, end in entry.valid_ranges or ():
            sequence.ranges.append(FrameRange(self.folder / INDEX, 'valid_ranges', start, end))
        try:
            content = _nested(pack[name.name], entry.arrays)
        except GVHMRError as error:
            sequence.error('unreadable', str(error), path)
            return sequence
        sequence.add(path, content, _specs(content, entry.arrays))
        if entry.frames < 1:
            sequence.error('length', f'has {entry.frames} frames', path)
        sequence.settle()
        if sequence.frames not in (None, entry.frames):
            message = f'has {sequence.frames} frames, the index says {entry.frames}'
            sequence.error('length', message, path)
        _add_camera(sequence)
        return sequence


def _nested(fields: Any, arrays: tuple[str, ...]) -> dict[str, Any]:
    return {name.split('.')[0]: fields[name.split('.')[0]] for name in arrays}


def _specs(content: dict[str, Any], arrays: tuple[str, ...]) -> tuple[FieldSpec, ...]:
    specs = []
    for name in dict.fromkeys((*REQUIRED, *arrays)):
        field = ARRAYS.get(name)
        if field is None:
            continue
        stored = content.get(name)
        shapes = [s for s in field.shapes if len(s.split()) == getattr(stored, 'ndim', None)]
        kind = 'bool' if field.kind == 'bool' else 'number'
        specs.append(FieldSpec(name, _role(name), (shapes or field.shapes)[0], kind))
    return tuple(specs)


def _role(name: str) -> str:
    group, _, last = name.rpartition('.')
    role = _ROLES.get(last, last)
    if group and role in ('orient', 'transl'):
        return f'{role}_{"c" if group.endswith("incam") else "w"}'
    return role


def _add_camera(sequence: Sequence) -> None:
    """Give sequences that know the camera's rotation alone a pose, for the checks of rotations."""
    rotation = sequence.get('R_w2c')
    if rotation is not None and sequence.get('T_w2c') is None:
        poses = torch.eye(4).repeat(len(rotation), 1, 1)
        poses[:, :3, :3] = rotation.value
        sequence.derive(rotation, 'T_w2c', poses)
