"""From downloads to packs: one converter per dataset, one driver for all."""

from .converter import ConversionTask, Converter, Failure, signature_of
from .published_bedlam import PublishedBedlamConverter
from .published_emdb import PublishedEmdbConverter
from .published_rich import PublishedRichConverter
from .published_threedpw import PublishedThreeDPWConverter
from .raw_bedlam import RawBedlamConverter
from .raw_emdb import RawEmdbConverter
from .raw_threedpw import RawThreeDPWConverter
from .run_conversion import ConversionReport, run_conversion

PUBLISHED_CONVERTERS = {
    'bedlam': PublishedBedlamConverter,
    'emdb': PublishedEmdbConverter,
    '3dpw': PublishedThreeDPWConverter,
    'rich': PublishedRichConverter,
}

__all__ = [
    'PUBLISHED_CONVERTERS',
    'ConversionReport',
    'ConversionTask',
    'Converter',
    'Failure',
    'PublishedBedlamConverter',
    'PublishedEmdbConverter',
    'PublishedRichConverter',
    'PublishedThreeDPWConverter',
    'RawBedlamConverter',
    'RawEmdbConverter',
    'RawThreeDPWConverter',
    'run_conversion',
    'signature_of',
]
