"""Sequence packs for the validator (docs/en/packs.md)."""

from pathlib import Path

import torch

from ...core.conventions import GRAVITY_Y_UP
from ..pack_io import PackRecord
from ..packs import SequencePack, is_pack
from ..packs.pack_index import INDEX_FILE
from ..packs.pack_schema import ARRAYS, REQUIRED
from ..sources import PackSource, SequenceInfo
from ..sources.pack_source import stored_in_pack
from .folder import DataFolder, role_of, root_of
from .sequence import FrameRange, Sequence

PACK = 'pack'
"""Name for ``--dataset``."""
SUBFOLDER = 'packs'
"""Folder of sequence packs below a data root."""
_Y_UP = ('bedlam', 'emdb')
"""Data sets whose sources guarantee a y-up world."""


class PackFolder(DataFolder):
    """Folder of a sequence pack."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, PACK, f'{PACK} {Path(folder).name}')

    @staticmethod
    def folders(path: Path) -> list[Path]:
        """Return the sequence packs at a path: the folder itself, or those in its ``packs``."""
        below = path / SUBFOLDER
        candidates = [path, *(sorted(below.iterdir()) if below.is_dir() else ())]
        return [folder for folder in candidates if is_pack(folder)]

    def sequences(self) -> list[SequenceInfo]:
        """Return the sequences of the index."""
        readable = isinstance(self.entries(self.folder), SequencePack)
        return PackSource(self.folder).sequences() if readable else []

    def read(self, info: SequenceInfo) -> Sequence:
        """Return a sequence."""
        pack = self.entries(self.folder)
        entry = pack.entries[info.id]
        gravity = GRAVITY_Y_UP if pack.header.dataset in _Y_UP else None
        part = ','.join(entry.splits)
        sequence = Sequence(self.title, info.id, part, gravity, root_of(entry.arrays))
        sequence.img_wh = tuple(map(float, entry.img_wh))
        path = self.folder / entry.file
        for start, end in entry.valid_ranges or ():
            sequence.ranges.append(FrameRange(self.folder / INDEX_FILE, 'valid_ranges', start, end))
        with sequence.collect_errors(path):
            record = PackRecord(path, info.id, pack[info.id])
            for name in dict.fromkeys((*REQUIRED, *filter(ARRAYS.__contains__, entry.arrays))):
                with sequence.collect_errors(path):
                    sequence.add(record, stored_in_pack(record, name), role_of(name))
        sequence.settle()
        if sequence.frames not in (None, entry.frames):
            message = f'has {sequence.frames} frames, expected {entry.frames} as in the index'
            sequence.error('length', message, path)
        _add_camera(sequence)
        return sequence


def _add_camera(sequence: Sequence) -> None:
    """Add a pose without translation if only the camera's rotation is known, for its check."""
    rotation = sequence.get('R_w2c')
    if rotation is not None and sequence.get('T_w2c') is None:
        poses = torch.eye(4).repeat(len(rotation), 1, 1)
        poses[:, :3, :3] = rotation.value
        sequence.derive(rotation, 'T_w2c', poses)
