"""Loss functions."""

from .gvhmr_loss import GVHMRLoss
from .reprojection_loss import ReprojectionLoss

__all__ = ['GVHMRLoss', 'ReprojectionLoss']
