"""Metrics as pure functions of arrays, with one value per frame."""

from .foot_sliding import contact_sliding
from .joint_error import mpjpe, pa_mpjpe, pve
from .point_sets import relative_to_pelvis
from .smoothness import acceleration_error, jitter
from .trajectory_error import root_trajectory_error
from .world_error import w_mpjpe, wa_mpjpe

__all__ = [
    'acceleration_error',
    'contact_sliding',
    'jitter',
    'mpjpe',
    'pa_mpjpe',
    'pve',
    'relative_to_pelvis',
    'root_trajectory_error',
    'w_mpjpe',
    'wa_mpjpe',
]
