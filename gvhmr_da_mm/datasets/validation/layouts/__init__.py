from .base import LAYOUTS, PackLayout, SequenceName, register_layout
from .bedlam import BEDLAMLayout
from .emdb import EMDBLayout
from .own_pack import OwnPackLayout
from .rich import RICHLayout
from .threedpw import ThreeDPWLayout

__all__ = [
    'LAYOUTS',
    'BEDLAMLayout',
    'EMDBLayout',
    'OwnPackLayout',
    'PackLayout',
    'RICHLayout',
    'SequenceName',
    'ThreeDPWLayout',
    'register_layout',
]
