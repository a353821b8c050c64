"""Complete models."""

from .graphed_loss import GraphedLoss
from .gvhmr import GVHMR

__all__ = ['GVHMR', 'GraphedLoss']
