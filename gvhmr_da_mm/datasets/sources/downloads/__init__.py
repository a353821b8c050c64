"""Data sets as their owners offer them for download, as sources of packs."""

from ..source import Source
from .amass import AMASSDownload
from .bedlam import BEDLAMDownload
from .emdb import EMDBDownload
from .threedpw import ThreeDPWDownload

DOWNLOADS: dict[str, type[Source]] = {
    kind.dataset: kind for kind in (AMASSDownload, BEDLAMDownload, EMDBDownload, ThreeDPWDownload)
}
"""Every download by the name of its data set."""

__all__ = ['DOWNLOADS', 'AMASSDownload', 'BEDLAMDownload', 'EMDBDownload', 'ThreeDPWDownload']
