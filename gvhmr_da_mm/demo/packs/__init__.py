"""Writers of the demo packs, one data set each, in the published file formats."""

from .bedlam import write_bedlam
from .emdb import write_emdb
from .threedpw import write_threedpw

__all__ = ['write_bedlam', 'write_emdb', 'write_threedpw']
