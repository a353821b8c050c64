"""Loss functions."""

from .contact_consistency_loss import ContactConsistencyLoss
from .gvhmr_loss import GVHMRLoss
from .loss_weight import check_loss_weight
from .reprojection_loss import ReprojectionLoss

__all__ = ['ContactConsistencyLoss', 'GVHMRLoss', 'ReprojectionLoss', 'check_loss_weight']
