"""Sequence packs: one memory-mapped file per sequence and a JSON index."""

from .pack_entry import PackEntry
from .pack_index import PackHeader, is_pack
from .pack_writer import PackWriter, write_sequence
from .sequence_pack import SequenceFields, SequencePack

__all__ = [
    'PackEntry',
    'PackHeader',
    'PackWriter',
    'SequenceFields',
    'SequencePack',
    'is_pack',
    'write_sequence',
]
