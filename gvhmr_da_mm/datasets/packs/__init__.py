"""Sequence packs: one memory-mapped file per sequence and an index."""

from .pack_entry import PackEntry
from .pack_header import PackHeader
from .pack_index import PackIndex, is_pack
from .pack_writer import PackWriter, write_sequence
from .sequence_pack import SequenceFields, SequencePack

__all__ = [
    'PackEntry',
    'PackHeader',
    'PackIndex',
    'PackWriter',
    'SequenceFields',
    'SequencePack',
    'is_pack',
    'write_sequence',
]
