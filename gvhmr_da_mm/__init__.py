"""GVHMR with domain adaptation, as an MMPose/MMEngine plugin."""

from .version import __version__

__all__ = ['__version__']
