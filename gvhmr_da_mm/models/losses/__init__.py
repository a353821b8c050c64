"""Loss functions."""

from .contact_consistency_loss import ContactConsistencyLoss
from .gvhmr_loss import GVHMRLoss
from .reprojection_loss import ReprojectionLoss

__all__ = ['ContactConsistencyLoss', 'GVHMRLoss', 'ReprojectionLoss']
