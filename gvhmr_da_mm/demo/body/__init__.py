"""Stand-in body models: SMPL-X and SMPL files made from a mannequin."""

from .posed_body import PosedBody
from .stand_in_body import StandInBody, write_body_models
from .stand_in_root import stand_in_root

__all__ = ['PosedBody', 'StandInBody', 'stand_in_root', 'write_body_models']
