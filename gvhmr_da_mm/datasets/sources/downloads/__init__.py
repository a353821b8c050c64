"""Sources that read the original downloads of data sets."""

from ..source import Source
from .amass import AMASSDownload
from .bedlam import BEDLAMDownload
from .emdb import EMDBDownload
from .threedpw import ThreeDPWDownload

DOWNLOADS: dict[str, type[Source]] = {
    kind.dataset: kind for kind in (AMASSDownload, BEDLAMDownload, EMDBDownload, ThreeDPWDownload)
}
"""Downloads by the name of the data set."""

__all__ = ['DOWNLOADS', 'AMASSDownload', 'BEDLAMDownload', 'EMDBDownload', 'ThreeDPWDownload']
