from . import boxes, cameras, features, gravity, labels, masks
from .table import CHECKS, sequence_check

__all__ = ['CHECKS', 'boxes', 'cameras', 'features', 'gravity', 'labels', 'masks', 'sequence_check']
