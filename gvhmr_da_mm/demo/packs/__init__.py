"""Writers of the demo packs, one for each dataset, in the published formats."""

from .bedlam import write_bedlam
from .emdb import write_emdb
from .threedpw import write_threedpw

__all__ = ['write_bedlam', 'write_emdb', 'write_threedpw']
