"""Complete models."""

from .gvhmr import GVHMR

__all__ = ['GVHMR']
