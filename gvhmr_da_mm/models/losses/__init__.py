"""Loss functions."""

from .contact_consistency_loss import ContactConsistencyLoss
from .gvhmr_loss import GVHMRLoss
from .loss_weight import check_loss_weight
from .reprojection_loss import ReprojectionLoss
from .robust_gvhmr_loss import RobustGVHMRLoss

__all__ = [
    'ContactConsistencyLoss',
    'GVHMRLoss',
    'ReprojectionLoss',
    'RobustGVHMRLoss',
    'check_loss_weight',
]
