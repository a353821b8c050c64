"""GVHMR with domain adaptation, as an MMPose/MMEngine plugin."""

from .compat import provide_xtcocotools, require_packages
from .version import __version__

require_packages()
provide_xtcocotools()

__all__ = ['__version__']
