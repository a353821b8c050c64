"""Post-processing of recovered motion at test time."""

from .agreed_contacts import agreed_contacts
from .ground import ground_height
from .limb_ik import limb_targets, solve_limbs
from .moving_camera import correct_moving_camera
from .static_camera import correct_static_camera

__all__ = [
    'agreed_contacts',
    'correct_moving_camera',
    'correct_static_camera',
    'ground_height',
    'limb_targets',
    'solve_limbs',
]
