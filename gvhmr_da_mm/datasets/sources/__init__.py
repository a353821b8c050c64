"""Sources of data sets: published files, downloads and sequence packs, by named fields."""

from .bedlam import BEDLAMSource
from .emdb import EMDBSource
from .h36m import H36MSource
from .layout import SourceFile, StoredField, body_parameters, stored_as_named
from .pack_sequences import PackClipFacts, PackSequences
from .pack_source import PackSource
from .published_source import PUBLISHED_SOURCES, PublishedSource, register_source
from .rich import RICHSource
from .sequence_reader import SequenceReader
from .source import Failure, SequenceInfo, Source, signature_of
from .threedpw import ThreeDPWSource

__all__ = [
    'PUBLISHED_SOURCES',
    'BEDLAMSource',
    'EMDBSource',
    'Failure',
    'H36MSource',
    'PackClipFacts',
    'PackSequences',
    'PackSource',
    'PublishedSource',
    'RICHSource',
    'SequenceInfo',
    'SequenceReader',
    'Source',
    'SourceFile',
    'StoredField',
    'ThreeDPWSource',
    'body_parameters',
    'register_source',
    'signature_of',
    'stored_as_named',
]
